-- What one attempt at a connection is told: the address, the credentials, how to get there. Made anew for each attempt, as
-- the connect hook and the token function may say something else each time. May wait, as they may.
local config = require "beam.settings.config"
local driver = require "beam.driver"
local errors = require "beam.error"
local headers = require "beam.settings.headers"
local known_id = require "beam.rest.known_id"
local log = require "beam.log"
local options_of = require "beam.settings.options"
local seconds = require "beam.settings.seconds"
local target_fields = require("beam.settings.target").fields

---@class beam.dial
---@field options beam.realtime_options
---@field client beam.settings
---@field asked table|false where the last attempt that is not open goes
---@field used table|false its credentials
local Dial = {}
Dial.__index = Dial
Dial.__name = "beam.dial"

local dial = {}

local refusal_patience = 30 -- seconds for Beam's API to say whose id it is

-- What the connect hook may say otherwise, besides the target and what a client can be told.
local own = { headers = true, max_message = true, close_timeout = true }
local known = options_of.known(own, "timeout")

local function is_target(overrides)
  if overrides[1] ~= nil then
    return true
  end
  for field in pairs(target_fields) do
    if overrides[field] ~= nil then
      return true
    end
  end
end

local function refuse(name, wanted)
  error(("beam.realtime, what connect returned: option '%s' wants %s"):format(name, wanted), 0)
end

local function check_own(overrides)
  local bytes, closing, given = overrides.max_message, overrides.close_timeout, overrides.headers
  if bytes ~= nil and not (type(bytes) == "number" and bytes >= 1 and bytes < 2 ^ 53 and bytes % 1 == 0) then
    refuse("max_message", "a whole number of bytes, at least 1")
  elseif closing ~= nil and not seconds.fit(closing) then
    refuse("close_timeout", "a number of seconds above 0")
  elseif given ~= nil and type(given) ~= "table" then
    refuse("headers", "a table {name = value}")
  end
end

-- The options with what the hook says; a target of its own replaces the whole of the other.
local function merge(options, overrides)
  if type(overrides) == "string" then
    overrides = { overrides }
  end
  overrides = options_of.gather("beam.realtime, what connect returned", known, {}, overrides)
  check_own(overrides)
  local merged, replaced = {}, is_target(overrides)
  for name, value in pairs(options) do
    if not (replaced and (name == 1 or target_fields[name])) then
      merged[name] = value
    end
  end
  for name, value in pairs(overrides) do
    merged[name] = value
  end
  if overrides.token ~= nil or overrides.basic then -- one of the two
    merged.token, merged.basic = overrides.token, overrides.basic
  end
  return merged
end

-- Asks the hook. Returns the options of this attempt, or nil and why there is none.
local function ask(options, attempt)
  if not options.connect then
    return options
  end
  local overrides, why = options.connect(attempt)
  if overrides ~= nil then
    return merge(options, overrides)
  elseif why == nil then
    return options
  elseif errors.is(why) then
    return nil, why
  end
  return nil, errors.new { kind = "connect", message = "the connect hook gave up: " .. tostring(why), phase = "none", retryable = true }
end

-- Beam starts a container for it (docs/wire.md section 2), so that the connection need not wait for it in the handshake.
local function warm_up(url, settings)
  local address = url:gsub("^ws", "http"):gsub("%?.*$", ""):gsub("/+$", "") .. "/warmup"
  local began = driver.now()
  local _, err = require("beam.call").call(settings, { url = address, raw = true, retry = false, timeout = settings.connect_timeout })
  if err.kind and err.kind ~= "http" then
    log.write("info", ("the warm-up of %s failed: %s"):format(address, err.message))
  else
    log.write("info", ("%s was answered with %s after %.1f s"):format(address, tostring(err.status), driver.now() - began))
  end
end

local function core_options(url, options, settings, auth)
  local core = options_of.transport(settings)
  core.url, core.auth = url, auth
  core.headers = headers.to_pairs(options.headers)
  core.upgrade_timeout = settings.ready_timeout
  core.close_timeout = options.close_timeout
  core.max_message = options.max_message
  if settings.traceparent then
    require("beam.observe.trace_context").pass(core, settings)
  end
  return core
end

---@param options beam.realtime_options
---@param client beam.settings
---@return beam.dial
function dial.new(options, client)
  return setmetatable({ options = options, client = client, asked = false, used = false }, Dial)
end

--- What an attempt is told.
---@param attempt integer counts the tries in a row, from 1
---@return beam.core.websocket_options?, beam.error?
function Dial:ask(attempt)
  local chosen, refused = ask(self.options, attempt)
  if not chosen then
    return nil, refused
  end
  local settings = config.settings_for(self.client, chosen)
  local url, target = options_of.locate(chosen, "asgi", "ws", settings.gateway)
  local auth, err = options_of.credentials(settings, target)
  if not auth then
    return nil, err
  end
  url = known_id.url(settings, target, "ws") or url
  if self.options.warmup and attempt == 1 then
    warm_up(url, settings)
  end
  self.asked = { settings = settings, target = target }
  return core_options(url, chosen, settings, auth)
end

--- The attempt with these credentials begins.
---@param auth beam.core.auth
function Dial:began(auth)
  local secret = auth.secret
  self.used = {
    scheme = auth.scheme,
    is_same_secret = function(other) -- so that it stands in no table that somebody may print
      return other.secret == secret
    end,
  }
end

--- It is open: nothing will be asked of what it was told.
function Dial:opened()
  self.asked, self.used = false, false
end

--- The scheme by which the attempt authenticates.
---@return string?
function Dial:scheme()
  return self.used and self.used.scheme
end

--- Whether it was told this secret.
---@param auth beam.core.auth
---@return boolean
function Dial:had_secret_of(auth)
  return self.used and self.used.is_same_secret(auth)
end

--- Whether there is a better address than the one that was refused with this. May wait.
---@param refused beam.error
---@return boolean
function Dial:find_address(refused)
  local asked = self.asked
  return asked and known_id.find(asked.settings, asked.target, refused, refusal_patience)
end

return dial
