-- The kinds of deployments, and what each may be told (docs/serve.md).
local errors = require "beam.error"
local inputs = require "beam.serve.app.inputs"

local kinds = {}

local unlimited = math.huge

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

-- Of every kind; then of each, with beta9's defaults where it has them; false: there is none.
local common = { id = false, version = false, active = false, authorized = false }
local defaults = {
  asgi = { connections = false, max_pending = unlimited, http = false },
  endpoint = { workers = unlimited, queue = unlimited, max_pending = unlimited, timeout = 180, ttl = 930, inputs = false },
  taskqueue = { workers = 1, max_pending = 100, retries = 0, timeout = 3600, ttl = 86400, result = false },
  ["function"] = { workers = unlimited, max_pending = 10000, retries = 0, timeout = 3600, ttl = 86400, result = false },
}
defaults.schedule = defaults["function"]
defaults.pod = { connections = false, max_pending = unlimited, http = false, ports = false }
defaults.bot = { connections = false, max_pending = unlimited }

for _, kind in ipairs { "endpoint", "taskqueue", "function" } do
  defaults[kind].callback_url = false
end

local numbers = { "workers", "queue", "max_pending", "timeout", "ttl", "retries", "connections", "version" }

local function check_values(options, where)
  for _, name in ipairs(numbers) do
    local value, may_be_0 = options[name], name == "retries"
    if value ~= nil and (type(value) ~= "number" or value < 0 or value == 0 and not may_be_0) then
      error(("%s: option '%s' must be a number%s"):format(where, name, may_be_0 and ", 0 or more" or " above 0"), 0)
    end
  end
  if options.ports ~= nil and type(options.ports) ~= "table" then
    error(where .. ": option 'ports' is a list of numbers", 0)
  end
  if options.result ~= nil and options.result ~= "pickle" then
    error(where .. ": option 'result' is \"pickle\" or nothing", 0)
  end
end

--- The options of a deployment, with the defaults of its kind. Raises what is wrong with them.
---@param kind string
---@param given table?
---@param where string "app.endpoint"
---@return table
function kinds.options(kind, given, where)
  local known, options = {}, {}
  for _, names in ipairs { common, defaults[kind] } do
    for name, value in pairs(names) do
      known[name], options[name] = true, value or nil
    end
  end
  errors.check_options(given or {}, known, where)
  for name, value in pairs(given or {}) do
    options[name] = value
  end
  check_values(options, where)
  inputs.check_schema(options.inputs, where)
  return options
end

return kinds
