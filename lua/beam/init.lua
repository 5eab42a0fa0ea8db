-- Beam for Lua: the client of beam.cloud.
--
--   local beam = require "beam"
--   print(beam.call("multiply", { x = 12 }).result)
--
-- Nothing but this file is loaded until it is used.
local beam = { _VERSION = "0.1.0" }

-- name = { module, field }: what the module gives as it is; without a field, the module.
local own = {
  null = { "beam.json", "null" },
  array = { "beam.json", "array" },
  client = { "beam.client", "new" },
  retry = { "beam.retry" },
  base64 = { "beam.base64" },
  inspect = { "beam.inspect", "inspect" },
  metrics = { "beam.observe.metrics", "snapshot" },
  otlp = { "beam.observe.exporter", "new" },
  callbacks = { "beam.callbacks" },
  loop = { "beam.driver.other_loops" },
  setup = { "beam.driver", "setup" },
  spawn = { "beam.driver", "spawn" },
  sleep = { "beam.driver", "sleep" },
  run = { "beam.driver", "run" },
  step = { "beam.driver", "step" },
  fd = { "beam.driver", "fd" },
  on_signal = { "beam.driver.on_signal", "on_signal" },
  lines = { "beam.driver.lines", "lines" },
  read_line = { "beam.driver.lines", "read_line" },
}
-- What a client does; here the default client, made from the environment on first use.
local of_client = {
  call = true,
  stream = true,
  chat = true,
  map = true,
  submit = true,
  task = true,
  tasks = true,
  logs = true,
  events = true,
  signing_key = true,
  containers = true,
  container = true,
  upload = true,
  volume = true,
  volumes = true,
  deployment = true,
  deployments = true,
  realtime = true,
  pool = true,
  address = true,
}

local default

-- The default client, or nil and an error of kind "config".
local function default_client()
  local err
  if not default then
    default, err = require("beam.client").new()
  end
  return default, err
end

local function through_default(name)
  return function(...)
    local client, err = default_client()
    if not client then
      return nil, err
    end
    return client[name](...)
  end
end

setmetatable(beam, {
  names = { own, of_client }, -- for a prompt that completes them
  __index = function(_, name)
    local value
    if own[name] then
      value = require(own[name][1])
      if own[name][2] then
        value = value[own[name][2]]
      end
    elseif of_client[name] then
      value = through_default(name)
    end
    rawset(beam, name, value)
    return value
  end,
})

return beam
