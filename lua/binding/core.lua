---@meta beam.core
-- The C half of the module, as its Lua half and an editor see it. Times are in seconds, sizes in bytes.
--
-- Errors. A mistake of the caller (a wrong type, an unknown or missing option, a number out of range, NUL in a text) raises.
-- What libbeam refuses or what goes wrong at run time returns nil and a beam.core.error.
--
-- Events. Functions are called from ctx:step only, in the coroutine that called it, and cannot yield; other coroutines may
-- be resumed from them. Everything may be called in them but the step of their own context, which raises. An error raised in one does not
-- cross C: the other events of the step are still dispatched, then ctx:step raises the first error, as it is, a string with its
-- traceback; the others go to the log function. What libbeam logs is handed to the log function by the next step (or close).
--
-- Life. Whatever was started goes on until its terminal event, whether its object is held or not: a timer fires, a websocket stays, a
-- server listens. It ends with its context, which is not kept by its objects: hold the context. Every object may be closed,
-- freed or stopped twice. Once it is over, its methods return nil, err (kind "closed"); those that only tell (phase, pending)
-- tell that. A context that is collected ends; its objects end by themselves or by their methods, and by __close on Lua 5.4 and later.

local core = {}

core.version = "0.1.0" ---@type string
core.null = nil ---@type lightuserdata a null pointer, as lua-cjson has it

---@class beam.core.error
---@field kind "dns"|"connect"|"tls"|"handshake"|"http"|"timeout"|"closed"|"protocol"|"too_large"|"auth"|"canceled"|"no_memory"|"invalid"
---@field message string what tostring gives
---@field phase beam.core.phase
---@field host string "name:port" or ""
---@field status integer? HTTP status
---@field sent boolean some of the request may have reached the peer

---@alias beam.core.phase "none"|"dns"|"tcp"|"proxy"|"tls"|"upgrade"|"open"|"closing"|"closed"|"request"|"response"

---@class beam.core.auth
---@field scheme "bearer"|"basic"|"raw"|"query"|"none" must be given
---@field id string? basic
---@field secret string?
---@field plaintext boolean? send it unencrypted to a host that is not loopback

---@class beam.core.tls
---@field ca_file string?
---@field cert_file string?
---@field key_file string?
---@field key_passphrase string?
---@field insecure boolean?

---@alias beam.core.headers { [1]: string, [2]: string }[] pairs in order, at most 1024; received ones have names in lower case

---@alias beam.core.level "error"|"warning"|"info"|"debug"

---@class beam.core.options
---@field log fun(level: beam.core.level, line: string)? may do all that an event function may
---@field log_level beam.core.level? the most talkative level wanted; default "warning"
---@field connections integer? how many are expected; default: as many as the process may open

---@param options beam.core.options?
---@return beam.core.context? ctx, beam.core.error? err
function core.new(options) end

---@param fd integer
---@return boolean whether it is a terminal
function core.is_terminal(fd) end

---@return string "libuv 1.44.2, libwebsockets …": what is loaded
function core.libraries() end

---@return string? path the certificates that TLS trusts where no others are given
function core.ca_bundle() end

---@param count integer 1 to 256
---@return string bytes that nobody can guess
function core.random(count) end

---@return number seconds since 1970, with their fractions, by a clock that may be set
function core.clock() end

--- Writes a file that only the user can read, in place of what is there.
---@param path string
---@param text string
---@return boolean? ok, string? message
function core.write_private(path, text) end

--- Makes a folder for the user alone, unless there is one of that name.
---@param path string
---@return boolean? ok, string? message
function core.private_folder(path) end

--- Where a path leads to in the end, through all links.
---@param path string
---@return string? real nil: it leads nowhere
---@return boolean|string is_file a regular one; or why not
function core.real_path(path) end

--- The folder of the user whose process this is, whatever the environment says.
---@return string? path
function core.home() end

---@return string certificate PEM: for localhost, *.localhost, 127.0.0.1 and ::1, made now, good for 825 days
---@return string key PEM
function core.localhost_certificate() end

---@return integer number of this process
function core.process() end

---@param number integer
---@return boolean whether such a process runs
function core.process_lives(number) end

--- Whether the caller's coroutine can be suspended: not inside functions that C calls (table.sort). Plain Lua 5.1 does not know: true.
---@return boolean
function core.can_yield() end

---@param key string may be empty
---@param data string
---@return string digest 32 bytes: HMAC-SHA256
function core.hmac_sha256(key, data) end

---@param a string
---@param b string
---@return boolean whether they are the same; how long that takes does not tell where they differ
function core.same_bytes(a, b) end

---@class beam.core.json_marks what beam/json/values.lua has
---@field null any
---@field array_mt table the metatable of arrays: decode gives it to each, encode writes an empty table that has it as []
---@field empty_array_mt table encode takes it for the same
---@field empty_array any a value that is written as []
---@field explain fun(value: any): nil, string what is returned for a value that cannot be written
---@field max_depth integer of nested arrays and objects, both ways

--- json.decode, encode and encode_checked of lua/beam/json.lua, which need no context. No metamethod runs in them.
---@param marks beam.core.json_marks
---@return fun(text: string): any, string?
---@return fun(value: any): string?, string?
---@return fun(value: any): string?, boolean|string
function core.json(marks) end

---@class beam.core.arrivals messages that nobody has read, in their order; it outlives the WebSockets that fill it
local arrivals = {}

---@return integer messages, integer bytes, boolean full the WebSocket is paused; it is not full again once it is half empty
function arrivals:waiting() end

---@return integer messages that were kept since the last call, integer pings app pings that came since, boolean full
function arrivals:news() end

---@param on boolean from now on every message is an event
function arrivals:each(on) end

---@return string? data the first message, as it came
---@return boolean? binary
function arrivals:pop() end

--- Messages kept in C, decoded in batches. Those over 16 KiB are events "message" of their own, in their order.
---@param marks beam.core.json_marks
---@return fun(max: integer, max_bytes: number, filters_pings: boolean): beam.core.arrivals new
---@return fun(from: beam.core.arrivals, values: any[], kinds: string[], undecoded: boolean?): integer, boolean take moves up to 32
---messages, and no more than a quarter of what it may hold, to [1] and on; returns how many, and whether it is full
function core.arrivals(marks) end

---@class beam.core.context
local ctx = {}

--- Does what is due, waiting for up to `timeout` for the first thing to do: 0 (default) does not wait, a negative one (or one
--- beyond 24 days) waits without limit. Raises the first error of an event function.
---@param timeout number?
---@param kept beam.core.arrivals? of which the caller looks for one message himself
---@return boolean? false: it ended before its time, with nothing done, so that Ctrl-C takes effect: step again
---@return beam.core.error|boolean? err with `kept`: true where one message, the only one in them, is all that was to be told: "arrived"
---is not
function ctx:step(timeout, kept) end

--- The first part of step(0), for a host that lets what came be used before the rest is done.
---@param _ nil
---@param kept beam.core.arrivals? as in step
---@return boolean? more true: call step(0) before you wait
---@return beam.core.error|boolean? err with `kept`: as in step
function ctx:turn(_, kept) end

---@return integer? fd readable when there is something to do, timers included: then step(0)
---@return beam.core.error? err
function ctx:fd() end

--- From now on that signal does nothing but make the step that waits return; unless it comes again before it was asked for. One context
--- of the process has its signals; they are as before when it ends.
---@param name "HUP"|"INT"|"QUIT"|"TERM"|"USR1"|"USR2"|"WINCH"|"CONT"
---@return true?, beam.core.error? err
function ctx:catch_signal(name) end

---@param name string
function ctx:release_signal(name) end

---@return string? name one that came and was not asked for yet
function ctx:caught_signal() end

--- Makes the step that waits, or the next one, return at once.
function ctx:wakeup() end

--- For a host in C whose signal handler has to end a wait: wake(argument), a void (*)(void *) that may be called from a handler
--- until the context is closed.
---@return lightuserdata? wake, lightuserdata|beam.core.error argument
function ctx:waker() end

---@return number seconds monotonic, read now; also of a closed context
function ctx:now() end

--- Ends everything without further events: open websockets send close code 1001 as far as the socket takes it at once. In an event
--- function all objects are over at once and no further event comes; the loop itself goes at the end of the step.
function ctx:close() end

--- Calls fire() once, not early; stop() before that prevents it.
---@param seconds number
---@param fire fun()
---@return beam.core.timer? timer, beam.core.error? err
function ctx:timer(seconds, fire) end

---@class beam.core.timer
local timer = {}
function timer:stop() end

--- Reads once from a descriptor (0: standard input) when there is something to read, and calls done(data): "" is its end, then
--- done(data, message) if reading failed. It is not made non-blocking. One read at a time for each descriptor.
---@param fd integer
---@param done fun(data: string, message: string?)
---@return beam.core.read? read, beam.core.error? err
function ctx:read(fd, done) end

---@class beam.core.read
local read = {}
function read:stop() end

--- Times are 0 (at once) to 4294967 seconds, sizes at least 1.
---@class beam.core.websocket_options
---@field url string
---@field headers beam.core.headers?
---@field auth beam.core.auth?
---@field tls beam.core.tls?
---@field proxy string? "" for none; default: the environment
---@field connect_timeout number? DNS, TCP and TLS together; default 10
---@field upgrade_timeout number? from the upgrade sent to its answer; default 960
---@field close_timeout number? for the peer's close frame; default 2
---@field max_message integer? default 16 MiB
---@field fragments boolean? events "fragment" instead of "message"
---@field arrivals beam.core.arrivals? where messages are kept, in the place of most events "message" (a client's only)

--- Events, by first argument:
---   "phase", phase
---   "open", status, headers
---   "arrived"                          with `arrivals`: once a step, and before any other event, if something was kept
---   "message", data, binary            (with fragments: "fragment", data, binary, first, final)
---   "ping", data   "pong", data   "drained"
---   "closed", code, reason, err|nil, response|nil    the last one; err nil after a close handshake; response {status=, headers=, body=}
---                                                    of a rejected upgrade
---@param options beam.core.websocket_options
---@param on_event fun(event: string, ...)
---@return beam.core.websocket? ws, beam.core.error? err
function ctx:websocket(options, on_event) end

---@class beam.core.websocket
local ws = {}

--- Queues a message. err.kind "closed" unless open, "invalid" for text that is not UTF-8.
---@param text string
---@param limit number? bytes that may wait for the network; where it would be more with this, nothing is queued
---@return boolean? false: it would be more
---@return beam.core.error|integer? err with false: how many wait now
function ws:send(text, limit) end

---@param bytes string
---@param limit number? as for send
---@return boolean?
---@return beam.core.error|integer? err
function ws:send_binary(bytes, limit) end

---@param data string? up to 125 bytes
---@return true?, beam.core.error?
function ws:ping(data) end

--- Starts the close handshake; before open it abandons the attempt. "closed" follows.
---@param code integer? 1000, 1001, 1003, 1007-1014, 3000-4999; none: no code is sent
---@param reason string? UTF-8, up to 123 bytes
---@return true?, beam.core.error?
function ws:close(code, reason) end

--- Ends it without a close frame; "closed" follows. reset: with a TCP reset.
---@param reset boolean?
function ws:abort(reset) end

function ws:pause() end
function ws:resume() end

---@return integer bytes accepted and not yet taken by the system
function ws:pending() end

---@return integer received bytes from the network so far
---@return integer sent bytes that the system has taken
---@return integer unacknowledged bytes of these that the peer's system has not confirmed
---@return integer unfinished bytes of a message that has begun to come and is not whole
---@return number unanswered seconds for which the peer's system has confirmed nothing, while there is something to confirm
---@return number? heard seconds since the last message; nil: none has come
function ws:progress() end

---@return beam.core.phase phase
function ws:phase() end

--- What comes from now on is not kept in its arrivals.
function ws:detach() end

--- Gives it back: close code 1001 if it is open, no further event.
function ws:free() end

---@class beam.core.http_options
---@field url string
---@field method string? default: POST with a body, GET without
---@field headers beam.core.headers?
---@field auth beam.core.auth?
---@field tls beam.core.tls?
---@field proxy string?
---@field body string?
---@field upload boolean? the body is pushed with http:write
---@field body_size integer? of an upload; default: not known, it is sent chunked
---@field connect_timeout number? default 10
---@field timeout number? the whole exchange; default: none
---@field max_body integer? after decoding; default 64 MiB, streamed: none
---@field stream boolean?
---@field repeats boolean? it stays after its end, until it is freed, and http:again() sends it once more
---@field by_name boolean? the headers of a whole answer as {name = value}, those of one name between commas

--- Events, by first argument:
---   "headers", status, headers         (streamed)
---   "data", bytes                      (streamed)
---   "drained"                          (upload) all that was written has been taken
---   "done", err|nil, response          the last one; response {status=, headers=, body=, times=}: empty where no answer came, without
---                                      body if streamed; times {queued=, dns=, tcp=, tls=, wait=, body=, total=}
---                                      in seconds, 0 for what did not happen
---   "done", err|nil, status, body, task_id|nil, queued, dns, tcp, tls, wait, body, total     of one that repeats
---@param options beam.core.http_options
---@param on_event fun(event: string, ...)
---@param counter beam.core.counter? of one that repeats: adds up what is unremarkable and sends it once more, without an event
---@return beam.core.http? http, beam.core.error? err
function ctx:http(options, on_event, counter) end

---@class beam.core.http_plan options that were read once, for exchanges that differ in their body
---@param options beam.core.http_options without body and upload
---@return beam.core.http_plan
function core.plan(options) end

--- As ctx:http.
---@param plan beam.core.http_plan
---@param on_event fun(event: string, ...)
---@param body string
---@param timeout number
---@return beam.core.http? http, beam.core.error? err
function ctx:send(plan, on_event, body, timeout) end

---@class beam.core.counter
local counter = {}
---@return beam.core.counter
function core.counter() end
--- So many exchanges may begin from now on, here (claim) and by themselves.
---@param count number
function counter:allow(count) end
---@return boolean ok one of them begins
function counter:claim() end
--- Which answer is unremarkable: this one (up to 4096 bytes), or any.
---@param answer string|boolean
function counter:know(answer) end
--- What was added up since the last time: count, bytes, connections; allowed: what is left of that; parts: by the names of the times
--- { count=, sum=, least=, most=, bucket, how often, bucket, how often, … }, bucket as in beamlua/load/histogram.lua.
---@return table
function counter:take() end

---@class beam.core.http
local http = {}
function http:pause() end
--- Of one that repeats, and has ended without an error.
---@return true? ok, beam.core.error? err
function http:again() end
--- Of one that repeats, within its event: the response as others have it.
---@return table? response
function http:answer() end
function http:resume() end

--- Queues the next piece of an upload. err.kind "closed": no more is wanted, for it is answered or has ended; "invalid": longer
--- than body_size.
---@param data string
---@return true?, beam.core.error?
function http:write(data) end

--- The upload is whole. err.kind "closed" as above, "invalid": shorter than body_size.
---@return true?, beam.core.error?
function http:write_end() end

---@return integer bytes written and not yet taken
function http:pending() end

--- Cancels it; no further event.
function http:free() end

---@class beam.core.server_options
---@field host string? numeric; default 127.0.0.1
---@field port integer? default: a free one
---@field tls { cert_file: string, key_file: string, key_passphrase: string? }? PEM; without it: plain
---@field max_body integer? default 64 MiB
---@field max_head integer? default and at most 16 KiB
---@field max_connections integer? default 10,000, and what the process may open
---@field head_timeout number? for a request's head, default 30
---@field body_timeout number? for each 16 KiB of a body, default 30
---@field idle_timeout number? between requests, default 75

---@class beam.core.view
---@field method string
---@field target string path and query as sent
---@field headers beam.core.headers
---@field body string
---@field upgrade boolean request:accept may be used

--- on_request(request, view): answer now or later, by exactly one of respond, stream_begin … stream_end, accept, abort. If the
--- function raises and has not answered, the answer is 500.
--- on_gone(request): the client left before its answer was complete; the request is over.
---@param options beam.core.server_options
---@param on_request fun(request: beam.core.request, view: beam.core.view)
---@param on_gone fun(request: beam.core.request)?
---@return beam.core.server? server, beam.core.error? err
function ctx:server(options, on_request, on_gone) end

---@class beam.core.server
local server = {}

---@return integer? port, beam.core.error? err
function server:port() end

--- Stops listening; unanswered requests are over, without on_gone; accepted websockets live on.
function server:close() end

--- The same object in on_request and on_gone, so that it can be a key of a table.
---@class beam.core.request
local request = {}

---@param status integer 200 to 999
---@param headers beam.core.headers?
---@param body string?
---@return true?, beam.core.error?
function request:respond(status, headers, body) end

---@param status integer
---@param headers beam.core.headers?
---@return true?, beam.core.error?
function request:stream_begin(status, headers) end

---@param data string
---@return true?, beam.core.error?
function request:stream_write(data) end

---@return true?, beam.core.error?
function request:stream_end() end

---@return integer bytes of a streamed answer that the system has not taken yet
function request:pending() end

---@param reset boolean?
function request:abort(reset) end

--- Answers with 101. options: headers, close_timeout, max_message, fragments. The events are those of ctx:websocket, without "open"; it
--- is open at once.
---@param options beam.core.websocket_options
---@param on_event fun(event: string, ...)
---@return beam.core.websocket? ws, beam.core.error? err
function request:accept(options, on_event) end

--- The table of error kinds, phases and close codes is in docs/errors.md.
return core
