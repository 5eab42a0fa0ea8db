-- Calls that differ in their input alone: to a target that is a text, with nothing told otherwise than the client. What they have in common
-- is found out once and read by the core once; each of them then brings its body.
--
-- There is no plan where something may be another one the next time or is not kept: an id, which the API may be asked about, a query, a
-- token that a function gives, a trace, a password.
local credentials = require "beam.settings.credentials"
local driver = require "beam.driver"
local native = require "beam.base.native"

local plans = {}

local most = 1000
local by_settings = setmetatable({}, { __mode = "k" }) -- { count = , by_name = }: nothing in it refers to the settings

---@class beam.plan
---@field core beam.core.http_plan
---@field request beam.core.http_options the same for who looks at it, without credentials
---@field target beam.target
---@field auth beam.core.auth
---@field how { codec: table? } for answer.read

--- What the calls before to this target have had in common.
---@param settings beam.settings
---@param name string
---@return beam.plan?
function plans.find(settings, name)
  local known = by_settings[settings]
  return known and known.by_name[name]
end

local function has_password(settings)
  return type(settings.proxy) == "string" or settings.tls and settings.tls.key_passphrase
end

local function may_be_kept(settings, name, target)
  return not (name:find("?", 1, true) or target.id or settings.traceparent or has_password(settings))
    and credentials.are_fixed(settings)
    and driver.context().send -- not what is recorded
end

local function place_in(settings)
  local known = by_settings[settings]
  if not known or known.count >= most then
    known = { count = 0, by_name = {} }
    by_settings[settings] = known
  end
  known.count = known.count + 1
  return known.by_name
end

--- For the calls that come after one that went well.
---@param settings beam.settings
---@param name string
---@param target beam.target
---@param prepared beam.core.http_options as it was sent
function plans.keep(settings, name, target, prepared)
  if not may_be_kept(settings, name, target) then
    return
  end
  local request = { url = prepared.url, method = prepared.method, tls = prepared.tls, proxy = prepared.proxy }
  request.connect_timeout, request.by_name, request.auth = prepared.connect_timeout, true, prepared.auth
  local core = native.core().plan(request)
  request.auth = nil
  place_in(settings)[name] =
    { core = core, request = request, target = target, auth = prepared.auth, how = { codec = settings.json } }
end

--- What the core is told where it has to be told all of it.
---@param plan beam.plan
---@param body string
---@return beam.core.http_options
function plans.prepare(plan, body)
  local prepared = { body = body }
  for name, value in pairs(plan.request) do
    prepared[name] = value
  end
  return prepared
end

return plans
