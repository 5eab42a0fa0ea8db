-- A deployment: its address kept, so that it can be called, streamed from, submitted to, connected to and warmed up; and what Beam knows
-- of it, once that was asked for.
--
--   beam.deployment(target)     asks nothing; what the target says is known: name, version, kind
--   deployment:fetch()          asks Beam: id, active, created_at and so on
--   beam.deployments{…}         gives those that are there, with all of it
local mistake = require "beam.base.mistake"
local seconds = require "beam.settings.seconds"
local address = require "beam.settings.target"
local answer = require "beam.http.answer"
local api = require "beam.rest.api"
local attempts = require "beam.http.attempts"
local config = require "beam.settings.config"
local errors = require "beam.error"
local exchange = require "beam.http.exchange"
local options_of = require "beam.settings.options"
local stub_id_of = require("beam.rest.stub").stub_id

local deployment = { read = require "beam.deployment.read" }

---@class beam.deployment
---@field name string?
---@field version integer?
---@field kind string?
---@field id string? the deployment's; not the stub's, which addresses are made of
---@field stub_id string?
---@field active boolean?
---@field subdomain string?
---@field created_at string?
---@field record table? Beam's, as it was seen last
local Deployment = {}
local meta = { __name = "beam.deployment", __index = Deployment }

function meta.__tostring(self)
  return "beam.deployment " .. self.described
end

-- What is not for the reader of a dump: settings, and the target that calls go to.
local inner = setmetatable({}, { __mode = "k" }) ---@type table<beam.deployment, { settings: beam.settings, target: beam.target }>

-- ---- Making one ----

--- Settings for a deployment's whole life: time-outs belong to each call.
deployment.settings = function(settings, options)
  local own = config.override(settings, options)
  own.timeout = nil
  return own
end

local function text(value)
  return type(value) == "string" and value or nil
end

local function take_record(self, record)
  self.record = record
  self.id = text(record.external_id) or text(record.id)
  self.name, self.version = text(record.name), tonumber(record.version)
  self.kind = (text(record.stub_type) or ""):match "^[^/]+"
  self.active = record.active == true
  self.subdomain, self.created_at = text(record.subdomain), text(record.created_at)
  self.stub_id = stub_id_of(record)
  self.described = ("%s/v%s"):format(self.name, tostring(self.version))
end

--- Of a record of Beam's.
---@param settings beam.settings
---@param record table
---@return beam.deployment
function deployment.new(settings, record)
  local self = setmetatable({}, meta)
  take_record(self, record)
  inner[self] = { settings = settings, target = { name = self.name, version = self.version, kind = self.kind } }
  return self
end

--- The deployment of a target. Beam is not asked.
---@param settings beam.settings
---@param target string|beam.target
---@param options beam.options? what this deployment is told otherwise than its client
---@return beam.deployment
function deployment.get(settings, target, options)
  errors.check_options(options or {}, config.overrides, "beam.deployment")
  config.check(options or {}, "beam.deployment")
  local read = deployment.read(target)
  local self = setmetatable({ name = read.name, version = read.version, kind = read.kind, described = read.text }, meta)
  inner[self] = { settings = deployment.settings(settings, options or {}), target = type(target) == "table" and target or { target } }
  return self
end

local only_timeout = { timeout = true }

local function timeout_of(options, where)
  if options == nil then
    return nil
  elseif type(options) ~= "table" then
    mistake(where .. " wants a table of options")
  end
  errors.check_options(options, only_timeout, where)
  seconds.check(options.timeout, where .. ": option 'timeout'")
  return options.timeout
end

--- Asks Beam about it; the fields are filled in.
---@param options { timeout: number? }?
---@return beam.deployment? self, beam.error? err
function Deployment:fetch(options)
  local settings, timeout = inner[self].settings, timeout_of(options, "deployment:fetch")
  local read = deployment.read(inner[self].target)
  if self.id or read.uuid then
    local record, err = api.of(settings).deployment(settings, self.id or read.uuid, { timeout = timeout })
    if not record then
      return nil, err
    end
    take_record(self, record)
    if read.uuid then -- addresses are not made of it
      inner[self].target = { name = self.name, version = self.version, kind = self.kind }
    end
    return self
  end
  local filters = { name = read.name, version = read.version, kind = read.kind, timeout = timeout }
  local list = require("beam.rest.deployments").list(settings, filters)
  local found = list:next()
  while found and read.subdomain and found.subdomain ~= read.subdomain do
    found = list:next()
  end
  if found then
    take_record(self, found.record)
    return self
  end
  local message = ("nothing is deployed as '%s'"):format(read.text)
  local hint = "beam.deployments() lists what is"
  return nil, list.err or errors.new { kind = "http", message = message, phase = "response", status = 404, hint = hint }
end

-- ---- Using it ----

-- The options of a call to it: its target, and what is said for this call.
local function merge(self, options, input)
  local merged = { input = input }
  for name, value in pairs(inner[self].target) do
    merged[name] = value
  end
  return options_of.add(merged, options, "deployment")
end

--- As beam.call.
---@param input table?
---@param options beam.call_options?
---@return any result
---@return beam.call_info|beam.error info
function Deployment:call(input, options)
  return require("beam.call").call(inner[self].settings, merge(self, options, input))
end

--- As beam.stream.
---@param input table?
---@param options beam.stream_options?
---@return beam.stream? stream, beam.error? err
function Deployment:stream(input, options)
  return require("beam.stream").open(inner[self].settings, merge(self, options, input))
end

--- As beam.submit.
---@param input table?
---@param options beam.submit_options?
---@return beam.task? task, beam.error? err
function Deployment:submit(input, options)
  return require("beam.task").submit(inner[self].settings, merge(self, options, input))
end

--- As beam.realtime.
---@param options beam.realtime_options?
---@return beam.connection? conn, beam.error? err
function Deployment:realtime(options)
  return require("beam.realtime").open(inner[self].settings, merge(self, options))
end

--- As beam.tasks, of this deployment.
---@param options beam.tasks_options?
---@return beam.task_list list
function Deployment:tasks(options)
  local merged = options_of.add({ deployment = inner[self].target }, options, "deployment:tasks")
  return require("beam.rest.tasks").list(inner[self].settings, merged)
end

--- As beam.logs, of this deployment.
---@param options beam.logs_options?
---@return beam.followed lines
function Deployment:logs(options)
  local merged = options_of.add({ deployment = inner[self].target }, options, "deployment:logs")
  return require("beam.rest.logs").logs(inner[self].settings, merged)
end

-- ---- Address and warm-up ----

-- Of a record: the public form, where it needs no token.
local function handed_out(record)
  for _, url in ipairs { record.invoke_url or false, record.url or false } do
    if type(url) == "string" and url:find "^[a-z]+://[^/?#]" then
      return url
    end
  end
end

--- Its address: what Beam handed out, or computed; only for one that is known by its id Beam is asked, as addresses are not made of that.
---@param options { timeout: number? }?
---@return string? url, beam.error? err
function Deployment:url(options)
  local timeout = timeout_of(options, "deployment:url")
  local settings, target = inner[self].settings, inner[self].target
  local read, given = deployment.read(target), self.record and handed_out(self.record)
  if given then
    return given
  end
  local asked = api.of(settings)
  if read.uuid and asked.deployment_url then
    local url, err = asked.deployment_url(settings, read.uuid, { timeout = timeout })
    if url or err.status ~= 400 and err.status ~= 404 then
      return url, err
    end -- a stub's id: that is what addresses are made of
  end
  return (address.resolve(target, target.kind or "endpoint", "http", settings.gateway))
end

local warming = { endpoint = true, asgi = true, taskqueue = true }
local cold_hint = "Beam starts a container when something comes for it; endpoint, asgi and taskqueue can be warmed up"

local function warm_up(prepared, what, auth, left)
  prepared.auth, prepared.timeout = auth, left
  return answer.read(what, auth.scheme, { raw = true }, exchange.run(prepared))
end

local function cannot_warm_up(kind)
  return nil, errors.new { kind = "invalid", message = ("a %s has no warm-up"):format(kind), hint = cold_hint }
end

local function ask_for_container(self, options)
  local settings = config.override(inner[self].settings, options)
  local url, target = address.resolve(inner[self].target, self.kind or "endpoint", "http", settings.gateway)
  local prepared = options_of.transport(settings)
  prepared.method, prepared.url, prepared.body = "POST", url:gsub("[?#].*$", ""):gsub("/$", "") .. "/warmup", ""
  local what = "POST " .. prepared.url
  local again = { idempotent = true, retry = options.retry, timeout = options.timeout }
  local body, err = attempts.run(settings, target, again, function(auth, left)
    return warm_up(prepared, what, auth, left)
  end, prepared, "deployment:warmup")
  return body ~= nil and true or nil, err
end

--- Starts a container, if none is up, and waits for Beam's word that it was asked for. It runs no handler: it is tried again as it needs.
---@param options beam.attempt_options|beam.options|nil
---@return true? done, beam.error? err kind "invalid": this kind of deployment has no warm-up
function Deployment:warmup(options)
  options = options or {}
  local known = options_of.known({ retry = true }, "ready_timeout")
  errors.check_options(options, known, "deployment:warmup")
  config.check(options, "deployment:warmup")
  attempts.check(options, "deployment:warmup")
  if self.kind and not warming[self.kind] then
    return cannot_warm_up(self.kind)
  end
  local kind = self.kind
  local done, err = ask_for_container(self, options)
  if done or kind or err.status ~= 400 and err.status ~= 404 or not self:fetch { timeout = options.timeout } then
    return done, err
  elseif not warming[self.kind] then
    return cannot_warm_up(self.kind)
  end
  return ask_for_container(self, options)
end

for name, method in pairs(require "beam.deployment.control") do
  Deployment[name] = method
end

--- The settings of one, for what is done to it elsewhere.
---@param self beam.deployment
---@return beam.settings
function deployment.settings_of(self)
  return inner[self].settings
end

return deployment
