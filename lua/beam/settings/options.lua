-- What call and realtime have in common: their arguments, and what they tell the core about the way to the server.
local address = require "beam.settings.target"
local config = require "beam.settings.config"
local errors = require "beam.error"
local secrets = require "beam.settings.secrets"

local options = {}

--- The names of options that a function takes: its own, those of a target, and what may be told otherwise than the
--- client.
---@param own table<string, true>
---@param without string an override that makes no sense here
function options.known(own, without)
  local known = config.known(own)
  known[1] = true
  for name in pairs(address.fields) do
    known[name] = true
  end
  known[without] = nil
  return known
end

--- f(target, given) and f{ target, … } as one table, checked; a caller's table stays as it is.
---@param where string "beam.call"
---@param known table<string, true>
---@param later table<string, true> what a later release brings
function options.gather(where, known, later, target, given)
  local gathered = {}
  if type(target) == "table" and given == nil then
    given = target
  else
    gathered[1] = target
  end
  for name, value in pairs(given or {}) do
    gathered[name] = value
  end
  errors.check_options(gathered, known, where, later)
  config.check(gathered, where)
  return gathered
end

--- The URL that gathered options mean, and its beam.target.
function options.locate(gathered, kind, use, gateway)
  local target = { gathered[1] }
  for field in pairs(address.fields) do
    target[field] = gathered[field]
  end
  return address.resolve(target, kind, use, gateway)
end

--- The credentials of one attempt; none are sent to a public address, where even a bad token would be refused.
---@param settings beam.settings
---@param target beam.target
---@param seconds number? for how long a token function is waited for; nil: as long as it takes
---@return beam.core.auth?, beam.error?
function options.credentials(settings, target, seconds)
  if target.public then
    return { scheme = "none" }
  end
  return settings:credentials(seconds)
end

--- How to get there, as beam.core wants it.
---@param settings beam.settings
function options.transport(settings)
  local tls = settings.tls or {}
  if settings.proxy then
    secrets.learn_proxy(settings.proxy)
  end
  secrets.learn(tls.key_passphrase)
  return {
    tls = {
      ca_file = tls.ca_file,
      cert_file = tls.cert,
      key_file = tls.key,
      key_passphrase = tls.key_passphrase,
      insecure = tls.insecure,
    },
    proxy = settings.proxy == false and "" or settings.proxy,
    connect_timeout = settings.connect_timeout,
  }
end

return options
