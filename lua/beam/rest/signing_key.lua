-- The key that Beam signs a workspace's callbacks with: asked for once for each client, and kept.
local api = require "beam.rest.api"
local config = require "beam.settings.config"
local driver = require "beam.driver"
local errors = require "beam.error"
local wait_for = require "beam.rest.look_up"

local signing_key = {}

local least_age = 60 -- seconds until a key that is said to be wrong is asked for anew

-- By the function that makes a client's credentials: another token may be of another workspace.
local known = setmetatable({}, { __mode = "k" }) ---@type table<function, { key: string?, asked: number?, look_up: beam.coroutine? }>

local function look_up(entry, settings)
  local asked = api.of(settings)
  local key, err
  if asked.signing_key then
    key, err = asked.signing_key(settings, {})
  else
    err = errors.new { kind = "invalid", message = "Beam's public API has no signing key", hint = "api_version = 'v1' asks the gateway" }
  end
  entry.look_up, entry.asked = nil, driver.now()
  entry.key = key or entry.key
  return key, err
end

---@class beam.signing_key_options: beam.options
---@field fresh boolean? the key that is known is wrong: asks anew, but not twice within a minute

--- The key of the workspace's callbacks. Whoever wants it while it is asked for waits for the same answer.
---@param settings beam.settings
---@param options beam.signing_key_options?
---@return string? key, beam.error? err
function signing_key.get(settings, options)
  options = options or {}
  errors.check_options(options, config.known { fresh = true }, "beam.signing_key")
  config.check(options, "beam.signing_key")
  local own = config.override(settings, options)
  local entry = known[own.credentials] or {}
  known[own.credentials] = entry
  local young = entry.asked and driver.now() - entry.asked < least_age
  if entry.key and (young or not options.fresh) then
    return entry.key
  end
  own.timeout = nil -- whoever waits for the answer has a time of its own
  return wait_for(entry, "signing key", options.timeout, look_up, own)
end

return signing_key
