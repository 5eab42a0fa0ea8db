-- The options of a host in C (beam_host_options): checked, with their defaults.
local client = require "beam.client"
local json = require "beam.json"
local new_script = require("sandbox.script").new

local embed_options = {}

local MiB = 1024 * 1024
local longest_seconds = 1e9
local default_memory, default_instructions, default_seconds = 64 * MiB, 10000000, 1

-- nil: the default; negative: no limit, which sandbox.script has as nil or false.
local function limit(value, default)
  if value == nil then
    return default
  end
  return value > 0 and value or nil
end

local function limits_of(options)
  return {
    memory = limit(options.memory, default_memory) or false,
    instructions = limit(options.instructions, default_instructions),
    seconds = limit(options.seconds, default_seconds),
    allow = options.allow,
    strict = not options.lax,
  }
end

local function client_of(options)
  return client.new {
    token = options.token ~= "" and options.token,
    gateway = options.gateway,
    insecure_auth = options.insecure_auth,
    tls = options.ca_file and { ca_file = options.ca_file },
  }
end

-- Where 0 is the default and less than that no limit, or a mistake; NaN and what no clock counts always are.
local function check_seconds(options)
  for _, name in ipairs { "seconds", "step_seconds", "tick" } do
    local value = options[name] or 1
    if value ~= value or value > longest_seconds or value < 0 and name ~= "seconds" then
      return ("option '%s' is a number of seconds"):format(name)
    end
  end
end

local function read_config(options)
  if not options.config then
    return nil
  end
  local value, problem = json.decode(options.config)
  return value, value == nil and "option 'config' is no JSON: " .. tostring(problem) or nil
end

-- What a script may use is checked by making one.
local function check_limits(limits)
  local valid, made = pcall(new_script, limits)
  if valid and made then
    made:close()
  end
  return not valid and (made:gsub("^script%.new: ", "")) or nil
end

local function invalid(message)
  return nil, { kind = "invalid", message = message }
end

--- Raises for what beam.client takes for a mistake, such as a target that is none.
---@param options table beam_host_options by their names; what is 0 or NULL there is absent
---@return { client: beam.client, limits: sandbox.script.options, config: any }? read, table? err
function embed_options.read(options)
  local problem = check_seconds(options)
  if problem then
    return invalid(problem)
  end
  local made, err = client_of(options)
  if not made then
    return nil, err
  end
  local config
  config, problem = read_config(options)
  if problem then
    return invalid(problem)
  end
  local limits = limits_of(options)
  problem = check_limits(limits)
  if problem then
    return invalid(problem)
  end
  if options.target then
    made:address(options.target, "asgi")
  end
  return { client = made, limits = limits, config = config }
end

return embed_options
