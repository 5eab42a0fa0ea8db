-- The local Beam: answers as Beam does, on loopback, with handlers in Lua. For offline work, for tests, for `beamlua serve`.
--
--   request -> server -> gateway (auth, address) -> endpoint | realtime | task queue -> the handler, in a coroutine
--                               `-> api (workspace, tasks, deployments)
--
--   local app = require "beam.serve"
--   app.realtime("echo", function(text) return { response = text } end)
--   app.endpoint("multiply", function(input) return { result = input.x * 2 } end)
--   local server = assert(app.listen { port = 1994 })
--
-- The module is an app itself; app.new() makes a separate one. Methods may be called with a dot or a colon.
local responses = require "beam.serve.response"
local deployments = require "beam.serve.deployments"
local kinds = require "beam.serve.kinds"
local listen = require("beam.serve.server").listen
local task_store = require "beam.serve.app.task_store"

local methods = {}

local function deploy(app, kind, name, handler, options)
  if type(name) ~= "string" or not name:find "^[0-9A-Za-z][0-9A-Za-z._-]*$" then
    error(("%s: a name of letters, digits, '-', '_' and '.' is wanted"):format(kind), 4)
  elseif type(handler) ~= "function" then
    error(("%s '%s': the handler must be a function"):format(kind, name), 4)
  end
  local ok, checked = pcall(kinds.options, kind, options, ("%s '%s'"):format(kind, name))
  if not ok then
    error(checked:gsub("^[^:]*:%d+: ", ""), 4)
  end
  return app.deployments:add(kind, name, handler, checked)
end

-- Options with one more.
local function with(options, name, value)
  local given = {}
  for key, one in pairs(options or {}) do
    given[key] = one
  end
  given[name] = value
  return given
end

--- Deploys a realtime app, whose handler runs once per message. What it returns is sent: a table as JSON, a string as it is, of an iterator
--- each item; nil, numbers and booleans are silence.
---@param name string
---@param handler fun(text: string, context: beam.serve.message_context): any
---@param options beam.serve.deployment_options? connections, max_pending
---@return beam.serve.deployment
function methods.realtime(app, name, handler, options)
  return deploy(app, "asgi", name, handler, options)
end

--- Deploys an app of kind asgi that answers over HTTP: any method, any path below its address. The handler returns the answer: a table as
--- JSON, app.response(status, body, headers), or an iterator of texts, which are streamed as server-sent events.
---@param name string
---@param handler fun(request: beam.serve.web_request): any
---@param options beam.serve.deployment_options?
---@return beam.serve.deployment
function methods.web(app, name, handler, options)
  return deploy(app, "asgi", name, function() end, with(options, "http", handler))
end

--- Deploys a pod: what listens on its ports. Over HTTP it answers as app.web; the option websocket is what runs for each message of a
--- WebSocket, of which Beam's gateway hands on neither pings nor close codes.
---@param name string
---@param handler fun(request: beam.serve.web_request): any request.port is the one that was asked
---@param options beam.serve.deployment_options? websocket, ports, connections, max_pending
---@return beam.serve.deployment
function methods.pod(app, name, handler, options)
  local given = with(options, "http", handler)
  local on_message = given.websocket or function() end
  given.websocket = nil
  return deploy(app, "pod", name, on_message, given)
end

--- Deploys a bot: a WebSocket at /bot/{name}, whose handler runs once per message; context.query.session_id is the client's.
---@param name string
---@param handler fun(text: string, context: beam.serve.message_context): any
---@param options beam.serve.deployment_options? connections, max_pending
---@return beam.serve.deployment
function methods.bot(app, name, handler, options)
  return deploy(app, "bot", name, handler, options)
end

--- Deploys an endpoint, whose handler returns the result: an iterator is streamed, app.response(status, body, headers) sets a status.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options? inputs, workers, queue, max_pending, timeout, ttl
---@return beam.serve.deployment
function methods.endpoint(app, name, handler, options)
  return deploy(app, "endpoint", name, handler, options)
end

--- Deploys a task queue. The handler runs in a worker; what it returns is the task's result.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options? workers, max_pending, retries, timeout, ttl, result
---@return beam.serve.deployment
function methods.task_queue(app, name, handler, options)
  return deploy(app, "taskqueue", name, handler, options)
end

--- Deploys a function: as a task queue, with a worker for each task and max_pending 10000.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options?
---@return beam.serve.deployment
function methods.remote_function(app, name, handler, options)
  return deploy(app, "function", name, handler, options)
end

--- Deploys a schedule: as a function; nothing runs it but who asks.
---@param name string
---@param handler fun(input: table, context: beam.serve.task_context): any
---@param options beam.serve.deployment_options?
---@return beam.serve.deployment
function methods.schedule(app, name, handler, options)
  return deploy(app, "schedule", name, handler, options)
end

--- What a handler of an endpoint returns for an answer with a status of its own. The body is written as JSON, unless it is a string and
--- `headers` name a content type.
---@param status integer 200 to 599
---@param body any
---@param headers table? { name = value }, or a list of { name, value }
---@return beam.serve.response
function methods.response(_, status, body, headers)
  return responses.new(status, body, headers)
end

--- Starts serving; may be done again, elsewhere or after a close: the tasks are the app's.
---@param options beam.serve.options?
---@return beam.serve.server? server, beam.error? err
function methods.listen(app, options)
  local server, err = listen(app, options)
  if server then
    app.servers[#app.servers + 1] = server
  end
  return server, err
end

--- Closes every server of this app, and cancels its tasks.
function methods.close(app)
  for _, server in ipairs(app.servers) do
    server:close()
  end
  app.servers = {}
  app.tasks:cancel_all()
end

--- An app of its own.
---@return beam.serve app
local function new_app() -- binds the methods to the app, so that app.realtime(…) and app:realtime(…) are the same
  local app = { deployments = deployments.new(), servers = {}, tasks = task_store.new() }
  for name, method in pairs(methods) do
    app[name] = function(first, ...)
      if first == app then
        return method(app, ...)
      end
      return method(app, first, ...)
    end
  end
  return app
end

local serve = new_app()
serve.new = new_app

return serve
