-- What a client was told: by argument, else by the environment, else by the file of Beam's own tools (docs/wire.md section
-- 3).
--
-- `sources` says for each value where it came from. Who we are is found in credentials.lua.
local codec = require "beam.json.codec"
local contexts = require "beam.settings.contexts"
local credentials = require "beam.settings.credentials"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"
local places = require "beam.settings.places"
local seconds = require "beam.settings.seconds"
local types = require "beam.base.types"

local config = {}

---@class beam.options
---@field token string|false|fun():string?, any? false: no credentials. A function is called before every attempt
---@field basic { id: string, secret: string }? Beam's older API keys
---@field auth "bearer"|"raw"|"query"? how the token is sent; query leaks it into access logs
---@field insecure_auth boolean? credentials over unencrypted connections to hosts that are not loopback
---@field gateway string? default https://app.beam.cloud
---@field api string? URL of the REST API; default: the gateway, for Beam's own and v2 https://api.beam.cloud
---@field api_version "v1"|"v2"|nil v1: the gateway's own API; v2: Beam's public one; default: v2 with basic or that URL, else v1
---@field workspace string? its id; default: Beam is asked once
---@field timeout number? seconds for a whole call, default 1560: Beam's longest cold start (15.5 minutes) and longest task (10 minutes)
---@field connect_timeout number? seconds for DNS, TCP and TLS together, default 10
---@field ready_timeout number? seconds for the 101 of a realtime connection, default 960: longer than Beam's longest cold start
---@field tls { ca_file: string?, cert: string?, key: string?, key_passphrase: string?, insecure: boolean? }?
---@field proxy string|false? "http://host:port"; false: none, whatever the environment says
---@field log fun(level: string, line: string)? where log lines of this process go
---@field json beam.json_codec? reads and writes what is sent and what comes in the place of beam.json: require "cjson.safe", dkjson
---@field on_span fun(span: beam.span)|table|nil is given each span that has ended: beam.otlp(), or a function, which must not wait
---@field sampling number? the share of traces that spans are made of, from 0 to 1, where the caller's traceparent does not say; default 1
---@field traceparent string? W3C: the trace and the span of the caller's that what is done here belongs to; sent along
---@field tracestate string? W3C: sent along beside it
---@field config string? path of a config.ini
---@field context string? section of it
config.options = {
  token = { string = true, ["function"] = true, boolean = true },
  basic = { table = true },
  auth = { string = true },
  insecure_auth = { boolean = true },
  gateway = { string = true },
  api = { string = true },
  api_version = { string = true },
  workspace = { string = true },
  timeout = { number = true },
  connect_timeout = { number = true },
  ready_timeout = { number = true },
  tls = { table = true },
  proxy = { string = true, boolean = true },
  log = { ["function"] = true },
  json = { table = true },
  on_span = { ["function"] = true, table = true },
  sampling = { number = true },
  traceparent = { string = true },
  tracestate = { string = true },
  config = { string = true },
  context = { string = true },
}

--- What one call or connection may be told otherwise than its client.
config.overrides = {}
for _, name in ipairs { "token", "basic", "auth", "insecure_auth", "timeout", "connect_timeout", "ready_timeout", "tls", "proxy" } do
  config.overrides[name] = config.options[name]
end
config.overrides.traceparent, config.overrides.tracestate = config.options.traceparent, config.options.tracestate

--- The names of what may be told: a function's own, and what may be told otherwise than the client.
---@param own table<string, any>
---@return table<string, true>
function config.known(own)
  local known = {}
  for _, names in ipairs { own, config.overrides } do
    for name in pairs(names) do
      known[name] = true
    end
  end
  return known
end

config.defaults = { gateway = places.gateway, timeout = 1560, connect_timeout = 10, ready_timeout = 960 }

local tls_options = { ca_file = "string", cert = "string", key = "string", key_passphrase = "string", insecure = "boolean" }
local schemes = { bearer = true, raw = true, query = true }

-- ---- Checks: a mistake of the caller raises ----

local function check_basic(basic, where)
  if type(basic.id) ~= "string" or type(basic.secret) ~= "string" or basic.id:find ":" then
    mistake(where .. ": basic wants {id = , secret = }, two strings, the id without a colon")
  end
end

local function check_share(value, where)
  if not (type(value) == "number" and value >= 0 and value <= 1) then
    mistake(where .. ": option 'sampling' wants a number from 0 to 1")
  end
end

local function check_value(name, value, where)
  local allowed = config.options[name]
  if name == "sampling" then
    check_share(value, where)
  elseif allowed.number then
    seconds.check(value, ("%s: option '%s'"):format(where, name))
  elseif not allowed[type(value)] or (name == "token" or name == "proxy") and value == true then
    mistake(("%s: option '%s' cannot be a %s"):format(where, name, type(value)))
  end
end

--- Raises for values of the wrong type.
---@param options table
---@param where string
function config.check(options, where)
  for name, value in pairs(options) do
    if config.options[name] then
      check_value(name, value, where)
    end
  end
  if options.token and options.basic then
    mistake(where .. ": token or basic, not both")
  end
  if options.auth and not schemes[options.auth] then
    mistake(where .. ": auth is 'bearer', 'raw' or 'query'")
  end
  if options.api_version and not places.api_versions[options.api_version] then
    mistake(where .. ": api_version is 'v1' or 'v2'")
  end
  if options.basic then
    check_basic(options.basic, where)
  end
  if options.tls then
    errors.check_options(options.tls, tls_options, where .. ", tls")
    types.check(options.tls, tls_options, where .. ", tls")
  end
end

-- ---- Settings ----

---@class beam.settings: beam.options
---@field credentials fun(settings: beam.settings, seconds: number?): beam.core.auth?, beam.error? of one attempt
---@field sources table<string, string> "argument", "environment NAME", "file PATH [context]", "default"; and passed_over

--- Raises for mistakes in `options`; what is wrong in the environment or the file is an error of kind "config".
---@param options beam.options
---@param sys { getenv: fun(name: string): string?, read: fun(path: string): string? }? in place of the real system
---@return beam.settings?, beam.error?
function config.resolve(options, sys)
  sys = sys or contexts.system
  config.check(options, "beam.client")
  local settings, sources = {}, {}
  for name in pairs(config.options) do
    settings[name] = options[name]
    sources[name] = options[name] ~= nil and "argument" or nil
    if settings[name] == nil and config.defaults[name] ~= nil then
      settings[name], sources[name] = config.defaults[name], "default"
    end
  end
  local auth, where, passed_over = credentials.find(options, sys)
  if not auth then
    return nil, where
  end
  sources.passed_over = passed_over
  settings.json = options.json and codec.of(options.json, "beam.client") or nil
  settings.credentials = credentials.of(auth)
  settings.token, settings.basic = nil, nil
  sources.token = auth.token ~= nil and where or nil
  sources.basic = auth.basic and where or nil
  local found, problem = places.find(options, sys, auth.basic ~= nil)
  if not found then
    return nil, errors.new { kind = "config", message = problem }
  end
  for name, place in pairs(found) do
    settings[name], sources[name] = place[1], place[2]
  end
  settings.sources = sources
  return settings
end

--- The settings of a client, changed for one call or connection: a table of its own.
---@param settings beam.settings
---@param options table
---@return beam.settings
function config.override(settings, options)
  local changed = setmetatable({}, { __index = settings })
  for name, value in pairs(options) do
    if config.overrides[name] and name ~= "token" and name ~= "basic" then
      changed[name] = value
    end
  end
  if options.token ~= nil or options.basic then
    changed.credentials = credentials.of { token = options.token, basic = options.basic }
  end
  return changed
end

--- The same for whoever changes nothing in them: most calls have the client's.
---@param settings beam.settings
---@param options table
---@return beam.settings
function config.settings_for(settings, options)
  for name in pairs(options) do
    if config.overrides[name] then
      return config.override(settings, options)
    end
  end
  return settings
end

return config
