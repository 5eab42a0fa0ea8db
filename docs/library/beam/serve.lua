---@meta beam.serve
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed. For lua-language-server: put the
-- folder docs/library (installed: share/lua-beam/library) into "Lua.workspace.library". Nothing loads this file.

---Answers as Beam does, on loopback, with handlers in Lua. The module is an app itself; a dot and a colon do the same.
---@class beam.serve
---@field tasks table app.tasks:find(id) is a task as the server has it
local serve = {}

--- Deploys a realtime app, whose handler runs once per message. What it returns is sent: a table as JSON, a string as it is, of an iterator
--- each item; nil, numbers and booleans are silence.
---@param name string
---@param handler fun(text: string, context: beam.serve.message_context): any
---@param options beam.serve.deployment_options? connections, max_pending
---@return beam.serve.deployment
function serve.realtime(name, handler, options) end

--- Deploys an endpoint, whose handler returns the result: an iterator is streamed, app.response(status, body, headers) sets a status.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options? inputs, workers, queue, max_pending, timeout, ttl
---@return beam.serve.deployment
function serve.endpoint(name, handler, options) end

--- Deploys a task queue. The handler runs in a worker; what it returns is the task's result.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options? workers, max_pending, retries, timeout, ttl, result
---@return beam.serve.deployment
function serve.task_queue(name, handler, options) end

--- Deploys a function: as a task queue, with a worker for each task and max_pending 10000.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options?
---@return beam.serve.deployment
function serve.remote_function(name, handler, options) end

--- Deploys a schedule: as a function; nothing runs it but who asks.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options?
---@return beam.serve.deployment
function serve.schedule(name, handler, options) end

--- Deploys an app of kind asgi that answers over HTTP: any method, any path below its address. The handler returns the answer: a table as
--- JSON, app.response(status, body, headers), or an iterator of texts, which are streamed as server-sent events.
---@param name string
---@param handler fun(request: beam.serve.web_request): any
---@param options beam.serve.deployment_options?
---@return beam.serve.deployment
function serve.web(name, handler, options) end

--- Deploys a pod: what listens on its ports. Over HTTP it answers as app.web; the option websocket is what runs for each message of a
--- WebSocket, of which Beam's gateway hands on neither pings nor close codes.
---@param name string
---@param handler fun(request: beam.serve.web_request): any request.port is the one that was asked
---@param options beam.serve.deployment_options? websocket, ports, connections, max_pending
---@return beam.serve.deployment
function serve.pod(name, handler, options) end

--- Deploys a bot: a WebSocket at /bot/{name}, whose handler runs once per message; context.query.session_id is the client's.
---@param name string
---@param handler fun(text: string, context: beam.serve.message_context): any
---@param options beam.serve.deployment_options? connections, max_pending
---@return beam.serve.deployment
function serve.bot(name, handler, options) end

--- What a handler of an endpoint returns for an answer with a status of its own. The body is written as JSON, unless it is a string and
--- `headers` name a content type.
---@param status integer 200 to 599
---@param body any
---@param headers table? { name = value }, or a list of { name, value }
---@return beam.serve.response
function serve.response(status, body, headers) end

--- Starts serving; may be done again, elsewhere or after a close: the tasks are the app's.
---@param options beam.serve.options?
---@return beam.serve.server? server, beam.error? err
function serve.listen(options) end

--- Closes every server of this app, and cancels its tasks.
function serve.close() end

--- An app of its own.
---@return beam.serve app
function serve.new() end

return serve
