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
local answer = require "beam.serve.answer"
local deployments = require "beam.serve.deployments"
local kinds = require "beam.serve.kinds"
local listen = require("beam.serve.server").listen
local task_store = require "beam.serve.task_store"

local methods = {}

local function deploy(app, kind, name, handler, options)
  if type(name) ~= "string" or not name:find "^[%w][%w._-]*$" then
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

--- Deploys a realtime app. handler(text, context) runs once per message; context: binary, headers, query, json() (the text decoded).
--- What it returns is sent: a table as JSON, a string as it is, of an iterator each item; nil, numbers and booleans are silence.
--- options: id, version, active, and connections (how many may be open at once; the next ones wait in the handshake).
function methods.realtime(app, name, handler, options)
  return deploy(app, "asgi", name, handler, options)
end

--- Deploys an endpoint. handler(input, context) returns its result; context: args, method, headers, query, and what a task's has.
--- An iterator is streamed, app.response(status, body, headers) sets a status. options: id, version, active, inputs (a schema: { x =
--- "number" }), workers (how many run at once; default no limit), queue (how many may wait), max_pending (waiting and running),
--- timeout and ttl (seconds to run and to wait).
function methods.endpoint(app, name, handler, options)
  return deploy(app, "endpoint", name, handler, options)
end

--- Deploys a task queue. handler(input, context) runs in a worker; what it returns is the task's result. context: task_id, args,
--- cancelled() (it need not go on), sleep(seconds) (false once cancelled), output(name, bytes or {path=}, {expires_in=}) (a file to
--- download). options: id, version, active, workers (default 1), max_pending (100, waiting and running), retries (0: how often a
--- handler that failed runs again), timeout (3600 s, then TIMEOUT), ttl (86400 s, then EXPIRED), result = "pickle" (the handler's string
--- is the bytes of a Python pickle).
function methods.task_queue(app, name, handler, options)
  return deploy(app, "taskqueue", name, handler, options)
end

--- Deploys a function: as a task queue, with a worker for each task and max_pending 10000.
function methods.remote_function(app, name, handler, options)
  return deploy(app, "function", name, handler, options)
end

function methods.response(_, status, body, headers)
  return answer.new(status, body, headers)
end

--- Starts serving; may be done again, elsewhere or after a close: the tasks are the app's. options: host (127.0.0.1), port (0: a free
--- one), token, basic = {id=, secret=} (with neither, everybody is let in), workspace (its id), ping, websocket_ping, pause, close_timeout
--- (seconds), max_body, log (a function of level and line), fault ("cold=3s,slots=1": see beam/serve/fault_syntax.lua), random.
--- Returns a server (port, url, close(), fault(faults), inflict(faults, which), connections()), or nil and an error.
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

-- Binds the methods to the app, so that app.realtime(…) and app:realtime(…) are the same.
local function new_app()
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
