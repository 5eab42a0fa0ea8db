-- What is done to a deployment: started, stopped, deleted, scaled. Each knows its id, or asks Beam for it.
local api = require "beam.rest.api"
local driver = require "beam.driver"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"

---@class beam.deployment
local Deployment = {}

local function settings_of(self)
  return require("beam.deployment").settings_of(self)
end

local function check(options, where)
  options = options or {}
  errors.check_options(options, { timeout = true }, where)
  if options.timeout ~= nil and not (type(options.timeout) == "number" and options.timeout > 0) then
    mistake(where .. ": 'timeout' wants a number of seconds above 0")
  end
  return options.timeout
end

-- Does `act(asked, settings, id, options)` with its id; Beam's public API has nothing of the kind.
local function with_id(self, name, options, act)
  local timeout = check(options, "deployment:" .. name)
  local settings = settings_of(self)
  local asked = api.of(settings)
  if not asked.control then
    local message, advice = "Beam's public API does not " .. name .. " deployments", "api_version = 'v1' asks the gateway"
    return nil, errors.new { kind = "invalid", message = message, hint = advice }
  end
  local deadline = timeout and driver.now() + timeout
  if not self.id then
    local found, err = self:fetch { timeout = timeout }
    if not found then
      return nil, err
    end
  end
  return act(asked, settings, self.id, { timeout = api.left(deadline) })
end

--- Starts it again after a stop: it takes calls.
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function Deployment:start(options)
  local done, err = with_id(self, "start", options, function(asked, settings, id, rest)
    return asked.control(settings, "POST", "start/" .. id, rest)
  end)
  self.active = done or self.active
  return done, err
end

--- Stops it: its containers end, and calls are answered with 400 "Deployment is not active".
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function Deployment:stop(options)
  local done, err = with_id(self, "stop", options, function(asked, settings, id, rest)
    return asked.control(settings, "POST", "stop/" .. id, rest)
  end)
  if done then
    self.active = false
  end
  return done, err
end

--- Stops it and deletes it: this version, for good.
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function Deployment:delete(options)
  local done, err = with_id(self, "delete", options, function(asked, settings, id, rest)
    return asked.control(settings, "DELETE", id, rest)
  end)
  if done then
    self.active = false
  end
  return done, err
end

--- Sets how many containers it has. Beam does that for pods only.
---@param containers integer
---@param options { timeout: number? }?
---@return true? done, beam.error? err
function Deployment:scale(containers, options)
  if type(containers) ~= "number" or containers < 0 or containers % 1 ~= 0 then
    mistake "deployment:scale wants a number of containers"
  end
  return with_id(self, "scale", options, function(asked, settings, id, rest)
    return asked.scale(settings, id, containers, rest)
  end)
end

return Deployment
