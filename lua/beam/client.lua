-- A client: configuration, and the functions of the module that use it.
local config = require "beam.settings.config"
local errors = require "beam.error"
local log = require "beam.log"

local client = {}

-- Where the functions are. They are loaded when first used: the transport alone takes 7 ms to load.
client.functions = {
  call = { "beam.call", "call" },
  stream = { "beam.stream", "open" },
  chat = { "beam.chat", "open" },
  map = { "beam.map", "map" },
  submit = { "beam.task", "submit" },
  task = { "beam.task", "get" },
  tasks = { "beam.rest.tasks", "list" },
  logs = { "beam.rest.logs", "logs" },
  events = { "beam.rest.logs", "events" },
  upload = { "beam.volume", "upload" },
  volume = { "beam.volume", "get" },
  volumes = { "beam.volume", "list" },
  containers = { "beam.rest.containers", "list" },
  container = { "beam.rest.containers", "get" },
  signing_key = { "beam.rest.signing_key", "get" },
  deployment = { "beam.deployment", "get" },
  deployments = { "beam.rest.deployments", "list" },
  realtime = { "beam.realtime", "open" },
  pool = { "beam.realtime.pool", "open" },
  address = { "beam.client", "address" },
}

---@class beam.client configuration, and the functions of the module with it
local meta = { __name = "beam.client" }

-- client.call(target) and client:call(target) are the same.
local function bind(self, run)
  return function(first, ...)
    if first == self then
      return run(self.settings, ...)
    end
    return run(self.settings, first, ...)
  end
end

function meta.__index(self, name)
  local where = client.functions[name]
  if where then
    local bound = bind(self, require(where[1])[where[2]])
    rawset(self, name, bound)
    return bound
  end
end

function meta.__tostring(self)
  return "beam.client of " .. self.settings.gateway
end

--- Where a target is: the URL that call (or, for kind "asgi", realtime) would use.
---@param settings beam.settings
---@param target string|beam.target
---@param kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil default "endpoint"
---@return string
function client.address(settings, target, kind)
  local wanted = kind or type(target) == "table" and target.kind or "endpoint"
  local resolve = require("beam.settings.target").resolve
  return (resolve(target, wanted, (wanted == "asgi" or wanted == "bot") and "ws" or "http", settings.gateway))
end

--- A client with a configuration of its own; what the options leave out comes from the environment and from Beam's config file. Raises for
--- mistakes in the options; what is wrong elsewhere is returned.
---@param options beam.options?
---@return beam.client? client, beam.error? err
function client.new(options)
  options = options or {}
  errors.check_options(options, config.options, "beam.client")
  local settings, err = config.resolve(options)
  if not settings then
    return nil, err
  end
  if options.log then
    log.to(options.log)
  end
  if settings.on_span then
    require("beam.observe.tracing").begin()
  end
  return setmetatable({ settings = settings }, meta)
end

return client
