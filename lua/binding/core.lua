---@meta beam.core
-- The C half of the module, as its Lua half and an editor see it. Times are in seconds, sizes in bytes.
--
-- A mistake of the caller (wrong type, missing field) raises; what can go wrong at run time returns nil and a table
-- {kind=, message=, phase=, host=, status=, sent=} (status nil unless there was one). Events are called from ctx:step only,
-- on the main thread, and must not yield. An error raised in an event function does not cross C: the other events of the step are
-- still dispatched, then ctx:step raises it. Every object may be closed twice; after that its methods return nil, err (kind "closed").

local core = {}

core.version = "0.1.0" ---@type string

---@class beam.core.error
---@field kind "dns"|"connect"|"tls"|"handshake"|"http"|"timeout"|"closed"|"protocol"|"too_large"|"auth"|"canceled"|"no_memory"|"invalid"
---@field message string
---@field phase string one of "none" "dns" "tcp" "proxy" "tls" "upgrade" "open" "closing" "closed" "request" "response"
---@field host string "name:port" or ""
---@field status integer? HTTP status
---@field sent boolean some of the request may have reached the peer

---@class beam.core.auth
---@field scheme "bearer"|"basic"|"raw"|"query"|"none"
---@field id string? basic
---@field secret string?
---@field plaintext boolean? send it unencrypted to a host that is not loopback

---@class beam.core.tls
---@field ca_file string?
---@field cert_file string?
---@field key_file string?
---@field insecure boolean?

---@alias beam.core.headers { [1]: string, [2]: string }[] pairs in order; received ones have names in lower case

--- Lua 5.1 and LuaJIT have no __gc for tables and no __close: contexts, sockets and timers are userdata and do.
---@param options { log: fun(level: "error"|"warning"|"info"|"debug", line: string)?, log_level: string?, connections: integer? }?
---@return beam.core.context? ctx, beam.core.error? err
function core.new(options) end

---@class beam.core.context
local ctx = {}
--- Does what is due. timeout in seconds: 0 (default) polls, nil or negative waits without limit only as `ctx:step(-1)`.
---@param timeout number?
---@return true
function ctx:step(timeout) end
---@return integer fd readable when there is something to do
function ctx:fd() end
function ctx:wakeup() end
--- For a host written in C whose signal handler has to end a wait: wake(argument), a void (*)(void *) that may be called from a signal handler
--- until the context is closed.
---@return lightuserdata wake, lightuserdata argument
function ctx:waker() end
---@return number seconds monotonic, read now
function ctx:now() end
--- Ends everything without further events. Also __gc and __close.
function ctx:close() end
--- Calls fire() once; stop() before that prevents it.
---@param seconds number
---@param fire fun()
---@return beam.core.timer
function ctx:timer(seconds, fire) end

---@class beam.core.timer
local timer = {}
function timer:stop() end

---@class beam.core.websocket_options
---@field url string
---@field headers beam.core.headers?
---@field auth beam.core.auth?
---@field tls beam.core.tls?
---@field proxy string? "" for none
---@field connect_timeout number?
---@field upgrade_timeout number?
---@field close_timeout number?
---@field max_message integer?
---@field fragments boolean?

--- Events, by first argument:
---   "phase", phase
---   "open", status, headers
---   "message", data, binary            (with fragments: "fragment", data, binary, first, final)
---   "ping", data   "pong", data   "drained"
---   "closed", code, reason, err|nil, response|nil    the last one; response {status=, headers=, body=} of a rejected upgrade
---@param options beam.core.websocket_options
---@param on_event fun(event: string, ...)
---@return beam.core.websocket? ws, beam.core.error? err
function ctx:websocket(options, on_event) end

--- Until its terminal event a websocket is kept alive by its context, held by the user or not.
---@class beam.core.websocket
local ws = {}
---@return true?, beam.core.error?
function ws:send(text) end
---@return true?, beam.core.error?
function ws:send_binary(bytes) end
---@return true?, beam.core.error?
function ws:ping(data) end
---@param code integer?
---@param reason string?
---@return true?, beam.core.error?
function ws:close(code, reason) end
--- Ends it without a close frame; reset: with a TCP reset.
---@param reset boolean?
function ws:abort(reset) end
function ws:pause() end
function ws:resume() end
---@return integer bytes
function ws:pending() end
---@return string phase
function ws:phase() end
--- Gives it back: close code 1001 if it is open, no further event.
function ws:free() end

---@class beam.core.http_options
---@field url string
---@field method string?
---@field headers beam.core.headers?
---@field auth beam.core.auth?
---@field tls beam.core.tls?
---@field proxy string?
---@field body string?
---@field connect_timeout number?
---@field timeout number?
---@field max_body integer?
---@field stream boolean?

--- Events, by first argument:
---   "headers", status, headers         (streamed)
---   "data", bytes                      (streamed)
---   "done", err|nil, response          the last one; response {status=, headers=, body=}, each nil where it did not come
---@param options beam.core.http_options
---@param on_event fun(event: string, ...)
---@return beam.core.http? http, beam.core.error? err
function ctx:http(options, on_event) end

---@class beam.core.http
local http = {}
function http:pause() end
function http:resume() end
--- Cancels it; no further event.
function http:free() end

---@class beam.core.server_options
---@field host string?
---@field port integer?
---@field max_body integer?

--- on_request(request, view): view {method=, target=, headers=, body=, upgrade=boolean}
--- on_gone(request): the client left before its answer was complete
---@param options beam.core.server_options
---@param on_request fun(request: beam.core.request, view: table)
---@param on_gone fun(request: beam.core.request)?
---@return beam.core.server? server, beam.core.error? err
function ctx:server(options, on_request, on_gone) end

---@class beam.core.server
local server = {}
---@return integer
function server:port() end
function server:close() end

---@class beam.core.request
local request = {}
---@param status integer
---@param headers beam.core.headers?
---@param body string?
---@return true?, beam.core.error?
function request:respond(status, headers, body) end
---@return true?, beam.core.error?
function request:stream_begin(status, headers) end
---@return true?, beam.core.error?
function request:stream_write(data) end
---@return true?, beam.core.error?
function request:stream_end() end
---@return integer bytes
function request:pending() end
function request:abort(reset) end
--- options: headers, close_timeout, max_message, fragments. The events are those of ctx:websocket, without "open".
---@return beam.core.websocket? ws, beam.core.error? err
function request:accept(options, on_event) end

--- The table of error kinds, phases and close codes is in docs/errors.md.
return core
