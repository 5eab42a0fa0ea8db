---@meta beam
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed. For lua-language-server: put the
-- folder docs/library (installed: share/lua-beam/library) into "Lua.workspace.library". Nothing loads this file.

---Beam for Lua: the client of beam.cloud.
---@class beam
---@field _VERSION string
---@field null lightuserdata JSON's null
---@field retry beam.retry
---@field loop beam.loop
local beam = {}

-- ---- Calls: docs/calls.md ----

--- Calls a deployment and waits for its answer. What Beam has not run is tried again, under one deadline (`timeout`).
---@param target string|beam.target|beam.call_options
---@param input table?
---@param options beam.call_options?
---@return any result nil on failure; beam.null for an empty answer
---@return beam.call_info|beam.error info
function beam.call(target, input, options) end

--- Calls a deployment and gives what it answers item by item. Tried again as beam.call, until an answer has begun.
---@param target string|beam.target|beam.stream_options
---@param input table?
---@param given beam.stream_options?
---@return beam.stream? stream to be called by `for`; nil on failure
---@return beam.error? err
---@return nil
---@return beam.stream? closing for Lua 5.4's `for`, which then closes it however the loop ends
function beam.stream(target, input, given) end

--- Calls a deployment once for each input. Nothing is taken before the first result is asked for.
---@param target string|beam.target|beam.map_options
---@param inputs beam.map_inputs?
---@param options beam.map_options?
---@return beam.map map, nil, nil, beam.map closing as `for` takes them
function beam.map(target, inputs, options) end

--- Asks a model, and gives its answer as it comes.
---@param options beam.chat_options the target first, or with name =, url = and so on
---@return beam.chat? chat, beam.error? err
function beam.chat(options) end

--- Where a target is: the URL that call (or, for kind "asgi", realtime) would use.
---@param target string|beam.target
---@param kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil default "endpoint"
---@return string
function beam.address(target, kind) end

---@class beam.stream
---@overload fun(): any, beam.stream_item?
---@field status integer
---@field headers table<string, string> names in lower case
---@field task_id string?
---@field format string what it is read as; "auto" until that is known
---@field attempts integer
---@field last_id string? as told last, by the items until now: for Last-Event-ID
---@field retry number? seconds to wait before connecting again, as told last
---@field err beam.error? why it broke off; nil while it runs, and after its end
local beam_stream = {}

--- Waits for the next item. A time-out of its own changes nothing; every other error is the end, and stays in stream.err.
---@param timeout number? seconds; nil: as long as it takes
---@return any item nil at the end and on failure
---@return beam.stream_item|beam.error|nil event how it came: data (the text), event, id, retry; on failure the error
function beam_stream:next(timeout) end

--- Ends it: the transfer is cancelled. May be called twice, and at any time.
function beam_stream:close() end

---@class beam.chat
---@overload fun(): string?, table?
---@field message { role: string, content: string?, tool_calls: table[]?, reasoning: string? } as far as it has come
---@field finish_reason string? "stop", "length", "tool_calls"
---@field usage table? prompt_tokens, completion_tokens, total_tokens
---@field model string?
---@field err beam.error? why it broke off
local beam_chat = {}

--- Waits for the next piece of text.
---@param timeout number? seconds
---@return string? text nil at the end, and on failure
---@return table|beam.error|nil chunk as it came; on failure the error
function beam_chat:next(timeout) end

--- Waits for the whole answer.
---@return table? message role, content, tool_calls with their arguments as JSON texts
---@return beam.error? err
function beam_chat:whole() end

--- Ends it: the model's server is told by the end of the connection. May be called twice.
function beam_chat:close() end

---@class beam.map
---@overload fun(): integer?, any, beam.error?, beam.call_info|beam.error|nil
local beam_map = {}

--- The next result: waits for it. What `for` calls; a coroutine of Lua 5.1, which cannot wait in there, calls it itself. If inputs ended
--- with an error of their iterator, or by the deadline, that is the last item, at the position of the input that was not sent.
---@return integer? position of the input, from 1; nil: there are no more
---@return any result nil on failure
---@return beam.error? err
---@return beam.call_info|beam.error|nil info how it came, with `input`; on failure the error
function beam_map:next() end

--- Takes no more inputs and cancels the calls that are in flight: these end with errors of kind "canceled", which are still handed over.
function beam_map:cancel() end

--- Cancels, and hands nothing over any more. Leaving the loop does that in Lua 5.4; elsewhere a map that was left ends when it is
--- collected. May be called any number of times; waits for nothing.
function beam_map:close() end

--- Counts until now: total (nil: not known), taken, done, succeeded, failed (canceled among them), in_flight, waiting and dropped (results
--- not handed over, yet or ever), attempts; and elapsed seconds.
---@return table<string, number>
function beam_map:stats() end

---@class beam.target
---@field name string?
---@field id string? a UUID or a label
---@field url string?
---@field version integer|string|nil 3, "v3" or "latest"
---@field kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil
---@field port integer? of a pod
---@field public boolean? the deployment needs no token, and is sent none
---@field path string? below the address, with or without a query

---@class beam.attempt_options
---@field retry beam.retry_policy|false|nil seconds until the next attempt, nil: there is none; false: never; default retry.call
---@field idempotent boolean? a second run of the handler does no harm
---@field timeout number? seconds for all attempts and waits together, default: that of the settings

---@class beam.request_options: beam.options, beam.target, beam.attempt_options
---@field input table? becomes the JSON object that is sent; none: {}
---@field method string? default POST
---@field headers table<string, string>? further request headers
---@field raw boolean? input is a string that is sent as it is, and the result is the text of the answer
---@field max_body integer? bytes of the answer, decoded; default 64 MiB

---@class beam.call_options: beam.request_options
---@field body string|file*|(fun(): string?, any)|nil sent as it is, in place of input; a function gives piece after piece, then nil
---@field body_size integer? bytes of it, where it is not known from the body itself
---@field file string? path of a file that is sent as it is, in place of input

---@class beam.call_info
---@field status integer
---@field headers table<string, string> names in lower case
---@field raw string the answer as it came, after decompression
---@field attempts integer
---@field elapsed number seconds, with all attempts and waits
---@field task_id string?
---@field times beam.call_times of the last attempt

---@class beam.call_times seconds, 0: did not happen
---@field queued number before the request went, without the next three: for its turn, CA certificates, another's connection
---@field dns number the next three: 0 over a connection that was open
---@field tcp number
---@field tls number
---@field wait number from the request to the first byte of the answer
---@field body number from there to its end
---@field total number the sum of all of them

---@class beam.stream_options: beam.call_options
---@field format "sse"|"data"|"lines"|"whole"|"raw"|"auto"|nil default: by the content type and by what comes
---@field raw boolean? items are texts as they came, and input is a string
---@field unwrap boolean? false: Beam's {"data": x}, around items that are no objects, stays
---@field max_item integer? bytes of one item, default 16 MiB
---@field idle_timeout number? seconds without a byte after which it is given up

---@class beam.stream_item
---@field data string
---@field event string? its type; none: "message"
---@field id string? the last one given, by this item or one before it
---@field retry number? seconds to wait before connecting again, where this item says so, or a block without data before it
---@field unframed boolean? a line between the events

---@class beam.map_options: beam.request_options
---@field inputs beam.map_inputs? where they are not given apart
---@field concurrency integer? calls at a time, 1 to 256, default 16
---@field window integer? inputs that were taken and whose results have not been handed over, default 4 times concurrency
---@field ordered boolean? results in the order of the inputs; default: as they come
---@field deadline number? seconds for everything, from the first result that is asked for; timeout is for each call
---@field on_progress fun(done: integer, total: integer?, failed: integer, in_flight: integer)? called after each result; may wait
---@field progress boolean? a line on stderr, if that is a terminal
---@field total integer? how many inputs an iterator will give, for the progress

---@class beam.chat_options: beam.stream_options
---@field messages table[] { role =, content = }
---@field model string? some servers want it
---@field tools table[]?
---@field max_tokens integer?
---@field temperature number?
---@field usage boolean? false: does not ask for the count of tokens
---@field extra table? what else stands in the request

---@alias beam.retry_policy fun(attempt: integer, err: beam.error): number? attempt counts the failures in a row, from 1

---@alias beam.map_inputs any[] | (fun(): any) | { next: fun(self): any }

-- ---- Tasks and deployments: docs/tasks.md ----

--- Submits a task. What Beam refused for now (429) is tried again; what may have arrived is not.
---@param target string|beam.target|beam.submit_options kind "taskqueue" where it says nothing else; or "function"
---@param input table?
---@param options beam.submit_options?
---@return beam.task? task
---@return beam.error? err executed "unknown": it may have been submitted
function beam.submit(target, input, options) end

--- The task with this id. Beam is not asked yet: whether there is one, task:status() says.
---@param id string
---@param options beam.options? what this task is told otherwise than its client
---@return beam.task
function beam.task(id, options) end

--- The tasks, newest first; in a loop, or by :next() and :all(max). Their records are without outputs: task:outputs() asks.
---@param options beam.tasks_options?
---@return beam.task_list list list.err says afterwards why it ended early
function beam.tasks(options) end

--- The log lines of a deployment, a task or a container, each once and in order, through lost connections: in a loop, or by :next().
---@param options beam.logs_options
---@return beam.followed lines lines.err says afterwards why they ended early
function beam.logs(options) end

--- What happens to a deployment, a task or a container: types and records, as beam.logs.
---@param options beam.logs_options
---@return beam.followed events events.err says afterwards why they ended early
function beam.events(options) end

--- The deployment of a target. Beam is not asked.
---@param target string|beam.target
---@param options beam.options? what this deployment is told otherwise than its client
---@return beam.deployment
function beam.deployment(target, options) end

--- The deployments, newest first; in a loop, or by :next() and :all(max).
---@param options beam.deployments_options?
---@return beam.deployment_list list list.err says afterwards why it ended early
function beam.deployments(options) end

--- The containers that run, or start.
---@param options { deployment: string|beam.target|nil, timeout: number? }? of that deployment
---@return beam.container[]? list, beam.error? err
function beam.containers(options) end

--- The container with this id; Beam is not asked.
---@param id string
---@return beam.container
function beam.container(id) end

--- The key of the workspace's callbacks. Whoever wants it while it is asked for waits for the same answer.
---@param options beam.signing_key_options?
---@return string? key, beam.error? err
function beam.signing_key(options) end

---What Beam posts when a task has ended: is it Beam's?
---@class beam.callbacks
local beam_callbacks = {}

--- Whether a request is Beam's and of now. Keys that are asked for are kept; a signature that does not fit has them asked for anew, in case
--- the workspace has another one by now, but not twice within a minute.
---@param body string as it came
---@param headers table by name, in whatever case; or pairs
---@param key string|fun(options: table?): string?, beam.error?|nil a workspace's key; a webhook's secret; default: the default client's
---@param options beam.verify_options?
---@return beam.callback? callback nil: it is not to be trusted
---@return beam.error? err kind "auth"; another one: there is no key
function beam_callbacks.verify(body, headers, key, options) end

--- Starts to listen for callbacks, in a program that has no web server of its own.
---@param options beam.listen_options?
---@return beam.callback_receiver? receiver its url is the callback_url; receiver:wait(task, timeout), receiver:close()
---@return beam.error? err
function beam_callbacks.listen(options) end

---@class beam.task
---@field id string
---@field record table? Beam's, as it was seen last
local beam_task = {}

--- Asks for the state.
---@param options { timeout: number? }|number|nil
---@return string? status "PENDING", "RUNNING", "RETRY"; "COMPLETE", "ERROR", "CANCELLED", "TIMEOUT", "EXPIRED" are final; others may come
---@return table|beam.error record Beam's
function beam_task:status(options) end

--- The changes of the state, each once, the first being the state it is in; ends with a final state. In a loop, or by events:next().
---@param options beam.watch_options|number|nil
---@return beam.task_events events events.err says afterwards why they ended early
function beam_task:events(options) end

--- Waits until the task has ended, in whatever way.
---@param options beam.wait_options|number|nil
---@return table? record Beam's, with a final `status`; nil if that is not known
---@return beam.error? err kind "timeout": the task goes on
---@return string[]? lines the last ones that a task said which did not end as COMPLETE, with options.logs
function beam_task:wait(options) end

--- Waits until the task has ended, and gives what the handler returned.
---@param options beam.wait_options|number|nil
---@return any result nil on failure; beam.null for none
---@return "json"|"pickle"|beam.error form "pickle": result is a string, the bytes of a Python pickle. An error of kind "task": it
---ended otherwise than COMPLETE; with options.logs, err.logs are the last lines that it said
function beam_task:result(options) end

--- The files the handler saved: Beam is asked anew, as their URLs expire.
---@param options { timeout: number? }|number|nil
---@return { name: string, url: string, expires_in: number? }[]? outputs
---@return beam.error? err
function beam_task:outputs(options) end

--- Streams an output into a file. The file has its name only when it is whole: until then it is `path` with ".part" behind it, and on
--- failure there is none. What is below /dev (/dev/stdout) is written to as it comes.
---@param output string|{ name: string?, url: string } its name, or one of task:outputs()
---@param path string
---@param options beam.download_options?
---@return integer? bytes
---@return beam.error? err
function beam_task:download(output, path, options) end

--- What the task says, line by line: beam.logs of it.
---@param options beam.logs_options? follow: to its end
---@return beam.followed lines
function beam_task:logs(options) end

--- Ends the task, and makes sure that it has ended: Beam answers a cancelling with 200 whatever becomes of it.
---@param options { timeout: number? }|number|nil
---@return string? status the final one: "CANCELLED", or another, if it was faster
---@return table|beam.error record Beam's
---@return boolean? ended_before it had ended when we came
function beam_task:cancel(options) end

---@class beam.followed
---@overload fun(): any, table?
---@field err beam.error? why it ended early
local beam_followed = {}

--- Waits for the next one.
---@return any item a line of a log; the type of an event; nil: that was the last one, or an error
---@return table|beam.error|nil record Beam's, or the error
function beam_followed:next() end

--- Ends it; a next() that waits in another coroutine returns nil. May be called twice.
function beam_followed:close() end

---@class beam.task_events
---@overload fun(): string?, table?
---@field err beam.error? why there are no more, if it is not that the task has ended
local beam_task_events = {}

--- Waits for the next change; the first is the state that the task is in now.
---@return string? status nil: it has ended, or an error
---@return table|beam.error|nil record Beam's, or the error
function beam_task_events:next() end

--- No more; a next() that waits in another coroutine returns nil.
function beam_task_events:close() end

---@class beam.pages
---@overload fun(): any
---@field err beam.error? why it ended early
local beam_pages = {}

--- Waits, where the next page has to be fetched first.
---@return any item nil: there are no more, or an error
---@return beam.error? err
function beam_pages:next() end

--- All that are left, at most `max`. list.more is true if there may be more.
---@param max integer? default 10000
---@return table[]? list, beam.error? err
function beam_pages:all(max) end

---@class beam.task_list: beam.pages
---@overload fun(): beam.task?
---@field next fun(self: beam.task_list): beam.task?, beam.error?
---@field all fun(self: beam.task_list, max: integer?): beam.task[]?, beam.error?

---@class beam.deployment_list: beam.pages
---@overload fun(): beam.deployment?
---@field next fun(self: beam.deployment_list): beam.deployment?, beam.error?
---@field all fun(self: beam.deployment_list, max: integer?): beam.deployment[]?, beam.error?

---@class beam.deployment
---@field name string?
---@field version integer?
---@field kind string?
---@field id string? the deployment's; not the stub's, which addresses are made of
---@field stub_id string?
---@field active boolean?
---@field subdomain string?
---@field created_at string?
---@field record table? Beam's, as it was seen last
local beam_deployment = {}

--- Asks Beam about it; the fields are filled in.
---@param options { timeout: number? }?
---@return beam.deployment? self, beam.error? err
function beam_deployment:fetch(options) end

--- As beam.call.
---@param input table?
---@param options beam.call_options?
---@return any result
---@return beam.call_info|beam.error info
function beam_deployment:call(input, options) end

--- As beam.stream.
---@param input table?
---@param options beam.stream_options?
---@return beam.stream? stream, beam.error? err
function beam_deployment:stream(input, options) end

--- As beam.submit.
---@param input table?
---@param options beam.submit_options?
---@return beam.task? task, beam.error? err
function beam_deployment:submit(input, options) end

--- As beam.realtime.
---@param options beam.realtime_options?
---@return beam.connection? conn, beam.error? err
function beam_deployment:realtime(options) end

--- As beam.tasks, of this deployment.
---@param options beam.tasks_options?
---@return beam.task_list list
function beam_deployment:tasks(options) end

--- As beam.logs, of this deployment.
---@param options beam.logs_options?
---@return beam.followed lines
function beam_deployment:logs(options) end

--- Its address: what Beam handed out, or computed; only for one that is known by its id Beam is asked, as addresses are not made of that.
---@param options { timeout: number? }?
---@return string? url, beam.error? err
function beam_deployment:url(options) end

--- Starts a container, if none is up, and waits for Beam's word that it was asked for. It runs no handler: it is tried again as it needs.
---@param options beam.attempt_options|beam.options|nil
---@return true? done, beam.error? err kind "invalid": this kind of deployment has no warm-up
function beam_deployment:warmup(options) end

--- Starts it again after a stop: it takes calls.
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function beam_deployment:start(options) end

--- Stops it: its containers end, and calls are answered with 400 "Deployment is not active".
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function beam_deployment:stop(options) end

--- Stops it and deletes it: this version, for good.
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function beam_deployment:delete(options) end

--- Sets how many containers it has. Beam does that for pods only.
---@param containers integer
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function beam_deployment:scale(containers, options) end

---@class beam.callback_receiver
---@field url string what a deployment or an input has as its callback_url
---@field port integer
local beam_callback_receiver = {}

--- Waits until Beam has told that a task has ended.
---@param task beam.task|string
---@param timeout number? seconds
---@return beam.callback? callback, beam.error? err
function beam_callback_receiver:wait(task, timeout) end

--- Listens no more; who waits is told. May be called twice.
function beam_callback_receiver:close() end

---@class beam.container
---@field id string "endpoint-{stub}-a1b2c3d4"
---@field status string
---@field stub_id string
---@field record table Beam's
local beam_container = {}

--- Ends it. What runs in it ends with it.
---@param options { force: boolean?, timeout: number? }? force: at once
---@return true? done, beam.error? err
function beam_container:stop(options) end

---@class beam.submit_options: beam.request_options
---@field body string|file*|fun(): string?|nil in place of input: an open file, or a function that gives the next piece
---@field body_size integer? bytes of body, if they are known
---@field file string? path of a file that is sent as it is, in place of input

---@class beam.watch_options
---@field timeout number? seconds in all; default: as long as it takes
---@field interval number? seconds between two looks where there are no events; default: from 1 to 10, longer and longer
---@field silence number? seconds without an event until a look makes sure, default 30
---@field retry beam.retry_policy? Beam cannot be asked: after how many seconds it is again; nil: give up. Default: for some five minutes

---@class beam.tasks_options: beam.options
---@field status string|string[]|nil "RUNNING", or {"PENDING", "RUNNING"}
---@field deployment string|beam.target|nil of these deployments: a name is every version of it
---@field kind "taskqueue"|"function"|"endpoint"|"asgi"|"schedule"|nil
---@field created_after string? "2026-08-01T10:00:00Z"
---@field created_before string?
---@field limit integer? at most so many

---@class beam.wait_options: beam.watch_options
---@field logs integer? so many of the last lines of a task that failed are fetched; at most 1000

---@class beam.logs_options: beam.options
---@field deployment string|beam.target|nil one of these three; a name is its latest version
---@field task string|beam.task|nil
---@field container string?
---@field follow boolean? go on with what comes; of a task, to its end. Default: what there is so far
---@field since string|number|nil seconds ago, "90s", "10m", "2h", "1d" ago, or "2026-08-01T10:00:00Z"
---@field silence number? seconds without a line until the connection is made anew, default 60; two of them end what is not followed
---@field retry beam.retry_policy? Beam cannot be asked: after how many seconds it is again; nil: give up

---@class beam.callback
---@field kind "task"|"webhook"
---@field task_id string? of a task
---@field status string? of a task: "COMPLETE", "ERROR"
---@field data any? of a task: what the handler returned; beam.null for none
---@field type string? of a webhook: the event's
---@field id string? of a webhook: the delivery's; what comes again has the same
---@field event table? of a webhook: the CloudEvent
---@field time number seconds since 1970, when it was signed; of a webhook when it happened

---@class beam.verify_options
---@field window number? seconds that it may be old, or ahead; default 300
---@field now number? in place of os.time()

---@class beam.listen_options
---@field host string? numeric address to listen on, default 127.0.0.1
---@field port integer? default: a free one
---@field url string? how Beam reaches it, where that is another address than the one it listens on
---@field key string|fun(options: table?): string?, beam.error?|nil default: the default client's signing key
---@field window number? seconds that a callback may be old, default 300

---@class beam.signing_key_options: beam.options
---@field fresh boolean? the key that is known is wrong: asks anew, but not twice within a minute

---@class beam.deployments_options: beam.options
---@field name string? exactly this one
---@field kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil
---@field version integer?
---@field active boolean?
---@field search string? a part of its name, or an id
---@field min_containers integer? those that keep so many containers, or more
---@field app string? the id of an app
---@field deleted boolean? those that were deleted, too
---@field created_after string? "2026-08-01T10:00:00Z"
---@field created_before string?
---@field latest boolean? of each name and kind the newest version only
---@field limit integer? at most so many

-- ---- Realtime: docs/realtime.md ----

--- Opens a realtime connection and waits until it is open, through a cold start and through what may pass, as long as the
--- retry policy says; with wait = false it waits for nothing. From then on it comes back by itself.
---@param target string|beam.target|beam.realtime_options
---@param options beam.realtime_options?
---@return beam.connection? conn, beam.error? err
function beam.realtime(target, options) end

--- Opens a pool; waits until its first connection is open. The others follow: Beam's default is one connection for each
--- container, and the next ones wait in the handshake until more have started.
---@param target string|beam.target|beam.pool_options
---@param options beam.pool_options? those of beam.realtime, and size
---@return beam.pool? pool, beam.error? err
function beam.pool(target, options) end

---@class beam.connection
---@field state "connecting"|"open"|"waiting"|"closing"|"closed"
---@field phase string how far it has come: none dns tcp proxy tls queued open ready, waiting, closing, closed
---@field url string
---@field err beam.error? why it is closed
---@field last_error beam.error? why the last attempt ended
local beam_connection = {}

--- Sends a message: a table as JSON, a string as it is. While the connection is not open it waits in the queue.
---@param message table|string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function beam_connection:send(message, options) end

--- Sends bytes as a binary message.
---@param bytes string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function beam_connection:send_binary(bytes, options) end

--- Waits for the next message. JSON comes decoded, other text and bytes as a string. A time-out changes nothing: the
--- next receive goes on. A lost connection changes nothing either: the wait goes on while it is made again. What came
--- before the end of the connection is still received after it. Of several readers, each message goes to one: the one that has
--- waited longest.
---@param timeout number? seconds; nil: as long as it takes
---@return any message nil on failure
---@return beam.error? err kind "timeout"; "transform", in the place of one message; or why the connection is closed
---@return "json"|"text"|"binary"|nil kind
function beam_connection:receive(timeout) end

--- The messages until the connection is closed; conn.err then says how. Where it did not end by a close that was meant, the loop raises
--- conn.err. A message that a transform fails on is told to on_error, or logged.
---@return fun(): any message, "json"|"text"|"binary"|nil kind
function beam_connection:messages() end

--- Sends a message and waits for its answer: the next message that no earlier request waits for. Right only where the
--- handler answers every message with exactly one (docs/wire.md section 5). With `key` the answer is the message whose field of
--- that name has the same value as the request's. There is always a deadline; an answer that comes too late is dropped. A
--- connection that is lost meanwhile ends the request, unless it still waits in the queue.
---@param message table|string
---@param options { timeout: number?, key: string?, traceparent: string?, tracestate: string? }? timeout: seconds, default 60; the last
---   two: whose span its own belongs to
---@return any answer nil on failure
---@return beam.error? err
---@return "json"|"text"|"binary"|nil kind
function beam_connection:request(message, options) end

--- Waits until every message that was sent has its outcome.
---@param timeout number? seconds; nil: as long as it takes
---@return true? all were written
---@return beam.error? err
function beam_connection:flush(timeout) end

--- The messages that wait to be sent; once the connection is closed, those that never were.
---@return (table|string)[]
function beam_connection:unsent() end

--- Calls `fn` when something happens: open(conn), message(message, conn, kind), phase(phase, conn, seconds),
--- stalled(seconds, conn), outcome(message, conn, outcome), close(err, conn), error(err, conn: what a function of the user's raised).
--- They run one after the other and may wait. With a message handler the messages go there. reconnect(conn, unknown) runs
--- in a coroutine of its own while the queue is held: it returns what is to be sent again.
---@param name "open"|"message"|"phase"|"stalled"|"outcome"|"reconnect"|"close"|"error"
---@param fn function
---@return beam.connection self
function beam_connection:on(name, fn) end

--- Counts since the connection was made, and what waits now.
---@return table<string, integer>
function beam_connection:stats() end

--- Closes the connection for good. If it is open, what waits in the queue is sent first, for up to close_timeout; then the
--- close frame, and the peer's is awaited. May be called in any state, any number of times. What had come before can
--- still be received.
---@param code integer? default 1000
---@param reason string? up to 123 bytes
---@return true
---@return (table|string)[]? unsent what never was sent, if there is any
function beam_connection:close(code, reason) end

---@class beam.pool
---@field size integer
---@field closed boolean
---@field err beam.error? why no connection could be made, or was lost for good, the last time
local beam_pool = {}

--- Sends a message on one of the connections and waits for its answer (conn:request); waits for a connection first, if
--- none is open. What was lost with its connection is an error, and never sent again: its handler may have run.
---@param message table|string
---@param options { timeout: number?, key: string? }? seconds for all of it, default 60
---@return any answer nil on failure
---@return beam.error? err
---@return "json"|"text"|"binary"|nil kind
function beam_pool:request(message, options) end

--- Sends a message on one of the connections, in turn; waits for none. Messages that come go to `on_message`: without it,
--- a handler that answers fills the inbox, and requests get the answers of what was sent.
---@param message table|string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function beam_pool:send(message, options) end

--- The same with bytes, as a binary message.
---@param bytes string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function beam_pool:send_binary(bytes, options) end

--- Counts of its connections, those included that were closed for good: `lost` says how many.
---@return table<string, integer>
function beam_pool:stats() end

--- Closes all connections, and waits until they are. May be called any number of times.
---@param code integer? default 1000
---@param reason string?
---@return true
function beam_pool:close(code, reason) end

---@class beam.realtime_options: beam.options, beam.target
---@field wait boolean? false: beam.realtime returns at once, as a game wants it; that it never opened is told to on_close
---@field headers table<string, string>? further request headers
---@field connect (fun(attempt: integer): table|string|nil, any)? what this attempt does otherwise: a target, a token; nil, err: none
---@field retry (fun(attempt: integer, err: beam.error, conn): number?)|false|nil seconds until the next one; false: there is none
---@field reconnect boolean? false: once it was open, a loss is the end
---@field warmup boolean? asks Beam to start the app before the first attempt
---@field ready_after number? seconds after which a silent connection counts as ready, default 10
---@field outgoing function|function[]|nil transforms of what is sent
---@field incoming function|function[]|nil transforms of what comes
---@field queue beam.queue_options|false|nil what waits to be sent; false: send() fails while it is not open
---@field rate number? messages a second
---@field coalesce (fun(message: any): any)? a key; a newer message replaces a waiting one with the same
---@field max_message integer? bytes of an incoming message, default 16 MiB
---@field max_pending integer? bytes that send() lets wait for the network, default 64 MiB
---@field inbox { max: integer?, max_bytes: integer? }? what may wait to be read, default 1024 messages and 64 MiB; the sender is held back
---@field heartbeat boolean|beam.heartbeat_options|nil false: app pings are messages
---@field stalled number|false|{ after: number?, handler: number?, reconnect: boolean? }|nil seconds without a sign of the app, default 60
---@field idle_timeout number? seconds without a message either way, after which it is closed
---@field close_timeout number? seconds for the queue, and again for the peer's close frame; default 2
---@field on_open fun(conn)? the handlers: see Connection:on
---@field on_message fun(message, conn, kind)?
---@field on_phase fun(phase, conn, seconds)?
---@field on_stalled fun(seconds, conn)?
---@field on_outcome fun(message, conn, outcome)?
---@field on_reconnect (fun(conn, unknown: table[]): table?)? what is sent again
---@field on_close fun(err, conn)?
---@field on_error fun(err, conn)?

---@class beam.queue_options
---@field max integer? messages, default 1024
---@field max_bytes integer? default 64 MiB
---@field ttl number? seconds that a message may wait
---@field overflow "error"|"wait"|"drop_oldest"|"drop_newest"|nil "wait": send waits until there is room
---@field timeout number? seconds that it waits then, default 60

---@class beam.heartbeat_options
---@field app_pings boolean? false: app pings are messages
---@field ping_after number|false|nil seconds of silence until a ping, default 20
---@field dead_after number? seconds until a ping that nothing answers is death, default 20
---@field task_timeout number? seconds that a handler may take, and be silent: Beam's task time-out, default 600

---@class beam.send_options
---@field wait boolean? true: waits until there is room; false: does not, whatever queue.overflow says
---@field timeout number? seconds that it may wait, default 60

---@class beam.pool_options: beam.realtime_options
---@field size integer? connections, default 4

-- ---- Waiting: docs/concurrency.md ----

--- Starts a coroutine at once; it runs until its first wait. An error in it is returned by join(). If nobody joins
--- before the next step is over, it is logged with its traceback, and run() raises it at the end.
---@param fn function
---@return beam.coroutine
function beam.spawn(fn, ...) end

--- Suspends the caller. 0 lets the others run.
---@param duration number seconds
function beam.sleep(duration) end

--- Runs fn(...) as a coroutine, and all others, until nothing is left to wait for. Raises what fn raised, as soon as it
--- did, or at the end what the first coroutine raised that nobody joined; both as a beam.error of kind "script".
---@param fn function?
---@return any ... the results of fn
function beam.run(fn, ...) end

--- Does what is due; waits for up to `timeout` seconds for the first thing to do.
---@param timeout number? default 0
---@param budget number? seconds that this may take after the wait: what is left then goes on in the next step. One message, or
---one coroutine up to its next wait, is never interrupted
function beam.step(timeout, budget) end

--- One descriptor that is readable when step() has something to do, timers included.
---@return integer
function beam.fd() end

--- Calls fn(name) in a coroutine of its own whenever the signal came: "SIGTERM". The signal then does nothing else; but one that comes
--- again before the function could start does what it did without. It keeps no script from ending.
---@param name "HUP"|"INT"|"QUIT"|"TERM"|"USR1"|"USR2"|"WINCH"|"CONT" with or without SIG
---@param fn (fun(name: string))? nil: as before
---@return true? done, beam.error? err
function beam.on_signal(name, fn) end

--- for line in beam.lines() do … end: until the end of standard input. Raises what read_line returns as an error.
---@return fun(): string? line
function beam.lines() end

--- The next line of standard input: nil at its end, nil and an error otherwise.
---@param timeout number? seconds
---@return string? line, beam.error? err
function beam.read_line(timeout) end

--- Gets a worker ready, in init_worker_by_lua. Without it the first use does, with the defaults.
---@param options { watch: "direct"|"waker"|nil, drain: number?, connections: integer? }? watch: how our descriptor is watched,
---   default: direct if that is possible; drain: seconds that requests may go on to wait for answers when the worker is told to end,
---   default 30; connections: how many are expected
---@return boolean false: this process of nginx is no worker, and has no connections
function beam.setup(options) end

---Our connections inside a program that has an event loop of its own: one call, once.
---@class beam.loop
local beam_loop = {}

--- Inside uv.run() of luv. Any coroutine but the main thread is suspended by coroutine.yield and gone on with from the loop.
---@param uv table? default: require "luv"
---@return beam.loop.inside
function beam_loop.luv(uv) end

--- Inside a controller of cqueues.
---@param controller table? default: the one that runs the caller
---@return beam.loop.inside
function beam_loop.cqueues(controller) end

--- Inside copas.loop() or copas.step().
---@return beam.loop.inside
function beam_loop.copas() end

---@class beam.coroutine
local beam_coroutine = {}

--- Waits for the end of the coroutine.
---@param timeout number? seconds; nil: as long as it takes
---@return any ... its results, or nil and a beam.error of kind "script" (what it raised) or "timeout"
function beam_coroutine:join(timeout) end

---@class beam.loop.inside
---@field stop fun() leaves the other loop; no coroutine of its may be waiting for something of ours

-- ---- Configuration and errors: docs/errors.md ----

--- A client with a configuration of its own; what the options leave out comes from the environment and from Beam's config file. Raises for
--- mistakes in the options; what is wrong elsewhere is returned.
---@param options beam.options?
---@return beam.client? client, beam.error? err
function beam.client(options) end

---Policies that say when to try again.
---@class beam.retry
local beam_retry = {}

--- Tries again what may be tried again (err.retryable), after random() * min(max, base * 2 ^ (attempt - 1)) seconds. What
--- the server asks for with Retry-After (15 minutes at most) is added: the clients it told spread out behind it.
---@param options beam.backoff_options?
---@return fun(attempt: integer, err: beam.error): number?
function beam_retry.backoff(options) end

---@class beam.error
---@field kind string those of BEAM_ERROR_MAP (core/beam.h), transform, script, queue_full, json, validation, config, interrupted
---@field message string what failed, where; on one line, with nothing in it that a terminal would obey
---@field phase string? how far it had come
---@field host string? "name:port"
---@field status integer? HTTP status
---@field body any? the server's answer, decoded if it is JSON
---@field code integer? close code
---@field reason string? the peer's words on closing
---@field executed "no"|"yes"|"unknown" did Beam run the handler?
---@field retryable boolean may it be tried again without running anything twice?
---@field retry_after number? seconds the server asked for
---@field task_id string?
---@field task_status string? kind "task": the state it ended in; of a watch whose time is over: the last one seen
---@field failure_reason string? kind "task": Beam's words
---@field logs string[]? kind "task": the last lines that it said, where they were asked for
---@field hint string? what to do about it
---@field traceback string? of a script
---@field signal string? kind "interrupted": SIGINT and so on
---@field cause any? the value that a script raised
---@field input any? the message that a transform was given

---@class beam.options
---@field token string|false|fun():string?, any? false: no credentials. A function is called before every attempt
---@field basic { id: string, secret: string }? Beam's older API keys
---@field auth "bearer"|"raw"|"query"? how the token is sent; query leaks it into access logs
---@field insecure_auth boolean? credentials over unencrypted connections to hosts that are not loopback
---@field gateway string? default https://app.beam.cloud
---@field api string? URL of the REST API; default: the gateway, for Beam's own and v2 https://api.beam.cloud
---@field api_version "v1"|"v2"|nil v1: the gateway's own API; v2: Beam's public one; default: v2 with basic or that URL, else v1
---@field workspace string? its id; default: Beam is asked once
---@field timeout number? seconds for a whole call, default 1560: Beam's longest cold start (15.5 minutes) and longest task (10 minutes)
---@field connect_timeout number? seconds for DNS, TCP and TLS together, default 10
---@field ready_timeout number? seconds for the 101 of a realtime connection, default 960: longer than Beam's longest cold start
---@field tls { ca_file: string?, cert: string?, key: string?, key_passphrase: string?, insecure: boolean? }?
---@field proxy string|false? "http://host:port"; false: none, whatever the environment says
---@field log fun(level: string, line: string)? where log lines of this process go
---@field json beam.json_codec? reads and writes what is sent and what comes in the place of beam.json: require "cjson.safe", dkjson
---@field on_span fun(span: beam.span)|table|nil is given each span that has ended: beam.otlp(), or a function, which must not wait
---@field sampling number? the share of traces that spans are made of, from 0 to 1, where the caller's traceparent does not say; default 1
---@field traceparent string? W3C: the trace and the span of the caller's that what is done here belongs to; sent along
---@field tracestate string? W3C: sent along beside it
---@field config string? path of a config.ini
---@field context string? section of it

---@class beam.json_codec what `json` of beam.client may be
---@field encode fun(value: any): string?, string?
---@field decode fun(text: string): any, string?

---@class beam.backoff_options
---@field base number? seconds of the first window, default 0.5; each further one is twice as long
---@field max number? seconds of the longest window, default 30
---@field attempts integer? gives up after so many tries in a row, not counting the first; default: never
---@field random (fun(): number)? from 0 to below 1; default: a generator with a seed of this process

-- ---- Files: docs/files.md ----

--- Uploads a file, as Beam's Python client does, and gives a URL for the input of a handler, which can download it for an hour.
---@param source string|file*|fun(): string?, any
---@param options beam.file_options?
---@return string? url nil on failure
---@return { volume: string, path: string }|beam.error where
function beam.upload(source, options) end

--- The volume of that name; Beam is not asked, and makes it with the first upload.
---@param name string
---@param options beam.options? what it is told otherwise than its client
---@return beam.volume
function beam.volume(name, options) end

--- The volumes of the workspace: Beam's records, with `name` and `size`.
---@param options { timeout: number? }?
---@return table[]? volumes, beam.error? err
function beam.volumes(options) end

---Bytes as text, for files in JSON.
---@class beam.base64
local beam_base64 = {}

--- Bytes as text.
---@param bytes string
---@return string
function beam_base64.encode(bytes) end

--- The bytes; nil for what is no base64. Its padding may be missing.
---@param text string
---@return string?
function beam_base64.decode(text) end

---@class beam.volume
---@field name string
local beam_volume = {}

--- What is in a folder of it; of a file, that.
---@param path string? default: all of it
---@param options { timeout: number? }?
---@return beam.volume_entry[]? entries, beam.error? err
function beam_volume:list(path, options) end

--- Uploads a file, in flat memory. One that is there is replaced.
---@param source string|file*|fun(): string?, any a path; an open file; a function that gives piece after piece
---@param path string in the volume
---@param options beam.upload_options?
---@return true? done, beam.error? err
function beam_volume:upload(source, path, options) end

--- Downloads a file, in flat memory; under another name until it is whole.
---@param path string in the volume
---@param to string a path here; a folder with "/" at its end: there under its own name
---@param options beam.download_options?
---@return integer? bytes, beam.error? err
function beam_volume:download(path, to, options) end

--- A URL from which a file can be downloaded without a token, for an hour: for the input of a handler.
---@param path string in the volume
---@param options { timeout: number? }?
---@return string? url, beam.error? err
function beam_volume:url(path, options) end

--- Moves a file or a folder within the volume.
---@param from string
---@param to string
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function beam_volume:move(from, to, options) end

--- Removes a file, or a folder with all that is in it.
---@param path string in the volume
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function beam_volume:remove(path, options) end

---@class beam.volume_entry
---@field path string in the volume
---@field size integer
---@field mod_time integer seconds since 1970
---@field is_dir boolean

---@class beam.upload_options
---@field timeout number? seconds in all
---@field progress fun(bytes: integer, total: integer?)? told as it goes
---@field size integer? bytes that a function will give
---@field retry beam.retry_policy?

---@class beam.file_options: beam.upload_options, beam.options
---@field name string? what the file is called, where the source is no path
---@field volume string? default "uploads"

---@class beam.download_options
---@field timeout number? seconds in all
---@field max_body integer? bytes
---@field resume boolean? what has come stays after a failure (path.part), and the next download goes on from there
---@field progress fun(bytes: integer, total: integer?)? told after each piece how much there is, and of how much

-- ---- Figures and spans: docs/hosts/monitoring.md ----

--- The figures of this process since the first call of this function, which begins to count: a table, and by tostring the text that
--- Prometheus reads. Inside nginx { dict = "name" } of a lua_shared_dict makes that text the one of all workers, each with a label.
---@param options { dict: string? }?
---@return beam.metrics
function beam.metrics(options) end

--- What sends spans to a collector of OpenTelemetry's: beam.client { on_span = beam.otlp() }. What the options leave out comes from the
--- environment: OTEL_EXPORTER_OTLP_ENDPOINT and the like, OTEL_SERVICE_NAME.
---@param options beam.otlp_options?
---@return beam.otlp
function beam.otlp(options) end

---@class beam.metrics
---@field calls table<string, integer> by their outcome: "ok", or the kind of the error
---@field statuses table<integer, integer> calls by the status of their last answer
---@field attempts integer
---@field retries integer
---@field durations beam.histogram seconds of calls, with all attempts and waits
---@field phases table<string, beam.histogram> seconds of attempts at calls, by part: queued, dns, tcp, tls, wait (for the first byte), body
---@field streams table<string, integer> streams that had begun and have ended, by their outcome
---@field bounds number[] of all histograms
---@field connections table begun, states (how many there are in each), attempts, reconnects, sent, received, written, expired, dropped,
---unknown, app_pings, queued, queued_bytes, in_flight, inbox, waiting_requests
---@field openings beam.histogram seconds from the beginning of an attempt to connect until it was open
---@field connection_phases table<string, beam.histogram> of attempts to connect: dns, tcp, proxy, tls, queued (until Beam has a container)
---@field requests table<string, integer> conn:request by outcome: "ok", or the kind of the error
---@field round_trips beam.histogram seconds from a request to its answer
---@field queue_waits beam.histogram seconds that messages waited to be sent, of those that did
---@field tasks table<string, integer> tasks that were watched, by their last state; or the kind of the error

---@class beam.otlp
---@overload fun(span: beam.span)
local beam_otlp = {}

--- Sends what waits now, and waits until nothing is left.
---@param timeout number? seconds, default 10
---@return true? sent
---@return beam.error? err some was lost meanwhile, or the time is over
function beam_otlp:flush(timeout) end

--- Counts of spans: sent, dropped, and those that wait.
---@return { sent: integer, dropped: integer, waiting: integer }
function beam_otlp:stats() end

---@class beam.histogram
---@field count integer
---@field sum number seconds
---@field [integer] integer how many took no longer than the bound of that number

---@class beam.span
---@field name string
---@field trace_id string 32 hexadecimal digits
---@field span_id string 16
---@field parent_id string? nil: the trace begins here
---@field links beam.trace_context[]? what else it belongs to
---@field tracestate string? as the caller had it
---@field kind "client"|"internal" client: something was sent, and answered
---@field started number seconds since 1970
---@field ended number
---@field attributes table<string, string|number|boolean>
---@field status "unset"|"error"
---@field message string? of an error

---@class beam.trace_context
---@field trace_id string
---@field span_id string
---@field sampled boolean

---@class beam.otlp_options
---@field endpoint string? the collector's address, default http://localhost:4318; /v1/traces is added, unless it has a path
---@field headers table<string, string>? further request headers, a key for instance
---@field service string? the name of this program
---@field resource table<string, string|number|boolean>? what else is said of it: { ["deployment.environment.name"] = "production" }
---@field queue integer? spans that may wait, default 2048; more are dropped
---@field batch integer? spans of one request, default 512
---@field every number? seconds that a span may wait for others, default 5
---@field timeout number? seconds for one request, default 10
---@field tls { ca_file: string?, cert: string?, key: string?, key_passphrase: string?, insecure: boolean? }?
---@field proxy string|false?

-- ---- At the prompt: docs/beamlua.md ----

--- A value as text, for a person: tables opened, their keys in order, cycles named, credentials hidden, all of it bounded. JSON's null is
--- beam.null, an empty array beam.array {}.
---@param value any
---@param options beam.inspect_options?
---@return string
function beam.inspect(value, options) end

---@class beam.inspect_options
---@field depth integer? levels of tables in tables, default 5
---@field items integer? of one table, default 100; of all together 2000
---@field length integer? bytes of a string, default 2000
---@field width integer? columns that a table may take on one line, default 80

-- ---- JSON: docs/json.md ----

--- Marks `t` (default: a new table) as an array, so that it is written as [] when it is empty.
---@generic T: table
---@param t T?
---@return T
function beam.array(t) end

-- ---- The local Beam: docs/serve.md ----

---@class beam.serve.server
---@field port integer
---@field url string "http://127.0.0.1:1994"; with tls "https://…"
---@field certificate string? the file of the certificate that it shows: what tls.ca_file of a client has to be, if it made it itself
---@field token string? the one that is demanded
local beam_serve_server = {}

--- The same; raises if they cannot be read.
---@param faults string|table|nil
function beam_serve_server:fault(faults) end

--- Lets faults happen now, to every open connection that `which` picks (default: all): drop_after_101, reset, close=CODE, silence,
--- zombie, no_ping, block=TIME.
---@param faults string|table
---@param which (fun(session: table): boolean)?
---@return integer count of connections
function beam_serve_server:inflict(faults, which) end

--- The open realtime connections.
---@return table[] list
function beam_serve_server:connections() end

--- Stops, and waits until the connections are closed, for close_timeout at most. May be called twice.
function beam_serve_server:close() end

---@class beam.serve.task_context
---@field task_id string
---@field args any[] positional arguments
---@field cancelled fun(): boolean true: the task was cancelled or has timed out, and what the handler still does is for nobody
---@field sleep fun(seconds: number): boolean false as soon as the task has ended
---@field output fun(name: string, content: string|{ path: string }, options: { expires_in: number? }?) hands out a file
---@field log fun(text: string, stream: "stdout"|"stderr"|nil) adds lines to the task's logs
---@field method string? endpoint
---@field headers table<string, string>? endpoint; names in lower case
---@field query table<string, any>? endpoint

---@class beam.serve.message_context
---@field binary boolean
---@field headers table<string, string> of the upgrade, names in lower case
---@field query table<string, any> of the upgrade
---@field json fun(): any, string? the message decoded; nil and why not

---@class beam.serve.response

---@class beam.serve.deployment
---@field kind string "asgi", "endpoint", "taskqueue", "function", "schedule", "pod" or "bot"
---@field name string
---@field version integer
---@field id string the stub id, a UUID
---@field deployment_id string another one
---@field app_id string the same for all that have the name
---@field subdomain string the label without its version, the same for all versions
---@field sequence integer rises from deployment to deployment
---@field created_at number seconds since 1970
---@field active boolean false: answered with 400 "Deployment is not active"
---@field handler function
---@field options table
---@field live integer connections going on
---@field in_flight integer tasks that have not ended

---@class beam.serve.options
---@field host string? default 127.0.0.1
---@field tls { cert: string, key: string, key_passphrase: string? }|boolean|nil PEM files; true: a certificate of its own; else plain
---@field port integer? default 0: a free one
---@field token string|true|nil demanded; true: one of its own, which scripts on this machine find; without this and basic: none
---@field foreign_token string? one of another workspace's: 401 "Invalid token"
---@field basic { id: string, secret: string }? demanded as HTTP Basic credentials
---@field workspace string? the id of the one workspace, a UUID
---@field allow_host string[]? names that a Host may have beside loopback's, "dev.example", "*.dev.example"
---@field allow_origin string[]? origins of pages that may ask beside loopback's, "https://dev.example"; "*": all
---@field ping number? seconds between app pings, default 5
---@field websocket_ping number? seconds between WebSocket pings, and for the pong, default 20
---@field pause number? seconds after each input of a realtime app, default 0.1
---@field close_timeout number? seconds for clients to answer a close, default 2
---@field max_body integer? bytes of a request body, default 64 MiB; then 413
---@field max_head integer? bytes of a request's head, default and at most 16 KiB; then 431
---@field max_connections integer? default 10,000 and what the process may open; realtime connections do not count
---@field head_timeout number? seconds for a request's head, default 30; then 408
---@field body_timeout number? seconds for each 16 KiB of a body, default 30; then 408
---@field idle_timeout number? seconds between requests, default 75
---@field log fun(level: string, line: string)?
---@field fault string|table|nil faults on demand: "cold=3s,slots=1" (docs/serve.md)
---@field random (fun(): number)? what chances and ranges are drawn with, default math.random

---@class beam.serve.deployment_options each kind has some of them: docs/serve.md says which, with its defaults
---@field id string? a UUID; default: a new one
---@field version integer? default: the next
---@field active boolean? false: answered with 400
---@field authorized boolean? false: the API hands out its public address
---@field ports integer[]? of a pod; default: any
---@field connections integer? realtime: open at once; the next ones wait in the handshake
---@field workers integer? handlers that run at once
---@field queue integer? calls that wait for a worker
---@field max_pending integer? waiting and running; then 429
---@field timeout number? seconds that a handler may run
---@field ttl number? seconds that it may wait
---@field retries integer? how often a handler that failed runs again
---@field result "pickle"|nil the handler's string is the bytes of a Python pickle
---@field http (fun(request: beam.serve.web_request): any)? realtime: answers what is no upgrade, at any path
---@field callback_url string? is posted to when a task has ended; an input's callback_url wins
---@field inputs table<string, string>? { x = "number", name = "string?" }: what does not fit is refused

---@class beam.serve.web_request
---@field method string
---@field path string below the app's address, "/v1/models"
---@field port integer? of a pod
---@field query table<string, any>
---@field headers table<string, string> names in lower case
---@field body string
---@field json fun(): any the body, decoded; nil if it is no JSON

-- ---- Recording: docs/record.md ----

---@class beam.recorder
local beam_recorder = {}

--- Ends the recording. May be called twice.
function beam_recorder:stop() end

---@class beam.replay
---@field port integer
---@field url string "http://127.0.0.1:1994"
local beam_replay = {}

--- Waits until all is played, or what is missing is given up; then it stops listening.
---@return beam.replay.report
function beam_replay:wait() end

--- Stops listening. May be called twice.
function beam_replay:close() end

---@class beam.replay.report
---@field ok boolean nothing differed
---@field differences string[] the first hundred, in order: "connection 1, message 3 (line 17): expected …, got …"
---@field count integer all of them
---@field connections integer played
---@field requests integer
---@field messages integer compared: messages, bodies, closes
---@field form integer those of them that were written otherwise: the order of keys, or spaces
---@field notes string[] what is no difference, and yet to be known

---A configuration, and the functions of the module with it: client.call(…) and client:call(…) are the same.
---@class beam.client
local beam_client = {}

--- Calls a deployment and waits for its answer. What Beam has not run is tried again, under one deadline (`timeout`).
---@param target string|beam.target|beam.call_options
---@param input table?
---@param options beam.call_options?
---@return any result nil on failure; beam.null for an empty answer
---@return beam.call_info|beam.error info
---@overload fun(self: beam.client, target: string|beam.target|beam.call_options, input: table?, options: beam.call_options?): any, beam.call_info|beam.error
function beam_client.call(target, input, options) end

--- Calls a deployment and gives what it answers item by item. Tried again as beam.call, until an answer has begun.
---@param target string|beam.target|beam.stream_options
---@param input table?
---@param given beam.stream_options?
---@return beam.stream? stream to be called by `for`; nil on failure
---@return beam.error? err
---@return nil
---@return beam.stream? closing for Lua 5.4's `for`, which then closes it however the loop ends
---@overload fun(self: beam.client, target: string|beam.target|beam.stream_options, input: table?, given: beam.stream_options?): beam.stream?, beam.error?, nil, beam.stream?
function beam_client.stream(target, input, given) end

--- Calls a deployment once for each input. Nothing is taken before the first result is asked for.
---@param target string|beam.target|beam.map_options
---@param inputs beam.map_inputs?
---@param options beam.map_options?
---@return beam.map map, nil, nil, beam.map closing as `for` takes them
---@overload fun(self: beam.client, target: string|beam.target|beam.map_options, inputs: beam.map_inputs?, options: beam.map_options?): beam.map, nil, nil, beam.map
function beam_client.map(target, inputs, options) end

--- Asks a model, and gives its answer as it comes.
---@param options beam.chat_options the target first, or with name =, url = and so on
---@return beam.chat? chat, beam.error? err
---@overload fun(self: beam.client, options: beam.chat_options): beam.chat?, beam.error?
function beam_client.chat(options) end

--- Where a target is: the URL that call (or, for kind "asgi", realtime) would use.
---@param target string|beam.target
---@param kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil default "endpoint"
---@return string
---@overload fun(self: beam.client, target: string|beam.target, kind: "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil): string
function beam_client.address(target, kind) end

--- Submits a task. What Beam refused for now (429) is tried again; what may have arrived is not.
---@param target string|beam.target|beam.submit_options kind "taskqueue" where it says nothing else; or "function"
---@param input table?
---@param options beam.submit_options?
---@return beam.task? task
---@return beam.error? err executed "unknown": it may have been submitted
---@overload fun(self: beam.client, target: string|beam.target|beam.submit_options, input: table?, options: beam.submit_options?): beam.task?, beam.error?
function beam_client.submit(target, input, options) end

--- The task with this id. Beam is not asked yet: whether there is one, task:status() says.
---@param id string
---@param options beam.options? what this task is told otherwise than its client
---@return beam.task
---@overload fun(self: beam.client, id: string, options: beam.options?): beam.task
function beam_client.task(id, options) end

--- The tasks, newest first; in a loop, or by :next() and :all(max). Their records are without outputs: task:outputs() asks.
---@param options beam.tasks_options?
---@return beam.task_list list list.err says afterwards why it ended early
---@overload fun(self: beam.client, options: beam.tasks_options?): beam.task_list
function beam_client.tasks(options) end

--- The log lines of a deployment, a task or a container, each once and in order, through lost connections: in a loop, or by :next().
---@param options beam.logs_options
---@return beam.followed lines lines.err says afterwards why they ended early
---@overload fun(self: beam.client, options: beam.logs_options): beam.followed
function beam_client.logs(options) end

--- What happens to a deployment, a task or a container: types and records, as beam.logs.
---@param options beam.logs_options
---@return beam.followed events events.err says afterwards why they ended early
---@overload fun(self: beam.client, options: beam.logs_options): beam.followed
function beam_client.events(options) end

--- The deployment of a target. Beam is not asked.
---@param target string|beam.target
---@param options beam.options? what this deployment is told otherwise than its client
---@return beam.deployment
---@overload fun(self: beam.client, target: string|beam.target, options: beam.options?): beam.deployment
function beam_client.deployment(target, options) end

--- The deployments, newest first; in a loop, or by :next() and :all(max).
---@param options beam.deployments_options?
---@return beam.deployment_list list list.err says afterwards why it ended early
---@overload fun(self: beam.client, options: beam.deployments_options?): beam.deployment_list
function beam_client.deployments(options) end

--- The containers that run, or start.
---@param options { deployment: string|beam.target|nil, timeout: number? }? of that deployment
---@return beam.container[]? list, beam.error? err
---@overload fun(self: beam.client, options: { deployment: string|beam.target|nil, timeout: number? }?): beam.container[]?, beam.error?
function beam_client.containers(options) end

--- The container with this id; Beam is not asked.
---@param id string
---@return beam.container
---@overload fun(self: beam.client, id: string): beam.container
function beam_client.container(id) end

--- The key of the workspace's callbacks. Whoever wants it while it is asked for waits for the same answer.
---@param options beam.signing_key_options?
---@return string? key, beam.error? err
---@overload fun(self: beam.client, options: beam.signing_key_options?): string?, beam.error?
function beam_client.signing_key(options) end

--- Opens a realtime connection and waits until it is open, through a cold start and through what may pass, as long as the
--- retry policy says; with wait = false it waits for nothing. From then on it comes back by itself.
---@param target string|beam.target|beam.realtime_options
---@param options beam.realtime_options?
---@return beam.connection? conn, beam.error? err
---@overload fun(self: beam.client, target: string|beam.target|beam.realtime_options, options: beam.realtime_options?): beam.connection?, beam.error?
function beam_client.realtime(target, options) end

--- Opens a pool; waits until its first connection is open. The others follow: Beam's default is one connection for each
--- container, and the next ones wait in the handshake until more have started.
---@param target string|beam.target|beam.pool_options
---@param options beam.pool_options? those of beam.realtime, and size
---@return beam.pool? pool, beam.error? err
---@overload fun(self: beam.client, target: string|beam.target|beam.pool_options, options: beam.pool_options?): beam.pool?, beam.error?
function beam_client.pool(target, options) end

--- Uploads a file, as Beam's Python client does, and gives a URL for the input of a handler, which can download it for an hour.
---@param source string|file*|fun(): string?, any
---@param options beam.file_options?
---@return string? url nil on failure
---@return { volume: string, path: string }|beam.error where
---@overload fun(self: beam.client, source: string|file*|fun(): string?, any, options: beam.file_options?): string?, { volume: string, path: string }|beam.error
function beam_client.upload(source, options) end

--- The volume of that name; Beam is not asked, and makes it with the first upload.
---@param name string
---@param options beam.options? what it is told otherwise than its client
---@return beam.volume
---@overload fun(self: beam.client, name: string, options: beam.options?): beam.volume
function beam_client.volume(name, options) end

--- The volumes of the workspace: Beam's records, with `name` and `size`.
---@param options { timeout: number? }?
---@return table[]? volumes, beam.error? err
---@overload fun(self: beam.client, options: { timeout: number? }?): table[]?, beam.error?
function beam_client.volumes(options) end

return beam
