-- What call and realtime have in common: their arguments, and what they tell the core about the way to the server.
local address = require "beam.settings.target"
local config = require "beam.settings.config"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"
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

--- Puts what a caller gave to what is there; his table stays as it is. Raises for what is no table.
---@param gathered table
---@param some table?
---@param where string "beam.call"
---@return table gathered
function options.add(gathered, some, where)
  errors.check_table(some or {}, where)
  for name, value in pairs(some or {}) do
    gathered[name] = value
  end
  return gathered
end

--- Raises for a number that is no bound which the core can hold.
---@param bytes number?
---@param what string "beam.call: option 'max_body'"
function options.check_bytes(bytes, what)
  if bytes and not (bytes >= 1 and bytes < 2 ^ 53 and bytes % 1 == 0) then
    mistake(what .. " wants a whole number of bytes, at least 1")
  end
end

--- f(target, given), f{ target, … } and f({ target, … }, given) as one table, checked; a caller's tables stay as they are.
---@param where string "beam.call"
---@param known table<string, true>
---@param later table<string, true> what a later release brings
function options.gather(where, known, later, target, given)
  if given == nil and type(target) == "string" then
    return { target } -- there is nothing to check
  end
  local gathered = {}
  if type(target) == "table" then
    options.add(gathered, target, where)
  else
    gathered[1] = target
  end
  options.add(gathered, given, where)
  errors.check_options(gathered, known, where, later)
  config.check(gathered, where)
  return gathered
end

-- ---- Where ----

local addresses, count, most = {}, 0, 1000 -- by use, kind, gateway and target, of targets that are a text alone

-- What is called, if nothing but a text says it. One with a query is none: it may hold a token, which is not kept.
local function only_name(gathered)
  local name = gathered[1]
  if type(name) ~= "string" or name:find("?", 1, true) then
    return nil
  end
  for field in pairs(gathered) do
    if address.fields[field] then
      return nil
    end
  end
  return name
end

local function find_address(name, kind, use, gateway)
  local key = use .. " " .. kind .. " " .. gateway
  local of_gateway = addresses[key]
  if not of_gateway then
    of_gateway = {}
    addresses[key] = of_gateway
  end
  return of_gateway[name], of_gateway
end

-- Addresses are looked up more often than they are new.
local function known_address(name, kind, use, gateway)
  local known, of_gateway = find_address(name, kind, use, gateway)
  if known then
    return known.url, known.target
  end
  local url, target = address.resolve(name, kind, use, gateway)
  if count >= most then
    addresses, count = {}, 0
    of_gateway = select(2, find_address(name, kind, use, gateway))
  end
  of_gateway[name], count = { url = url, target = target }, count + 1
  return url, target
end

--- The URL that gathered options mean, and its beam.target, which may be that of others as well.
function options.locate(gathered, kind, use, gateway)
  local name = only_name(gathered)
  if name then
    return known_address(name, kind, use, gateway)
  end
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
  local tls = settings.tls
  if settings.proxy then
    secrets.learn_proxy(settings.proxy)
  end
  if tls then
    secrets.learn(tls.key_passphrase)
  end
  return {
    tls = tls and {
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
