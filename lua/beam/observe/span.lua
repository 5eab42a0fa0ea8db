-- Spans: what took from when to when, as part of which trace. A client's on_span is given each that has ended.
local context = require "beam.observe.trace_context"
local core = require("beam.base.native").core()
local driver = require "beam.driver"
local log = require "beam.log"
local secrets = require "beam.settings.secrets"

local span = {}

---@class beam.span
---@field name string
---@field trace_id string 32 hexadecimal digits
---@field span_id string 16
---@field parent_id string? nil: the trace begins here
---@field links beam.trace_context[]? what else it belongs to
---@field tracestate string? as the caller had it
---@field kind "client"|"internal" client: something was sent, and answered
---@field started number seconds since 1970
---@field ended number
---@field attributes table<string, string|number|boolean>
---@field status "unset"|"error"
---@field message string? of an error

---@class beam.live_span
---@field span beam.span
local Live = {}
local meta = { __index = Live }

-- The wall clock as it was, and from there by the clock that never jumps: a span does not end before it began.
local offset

local function now()
  local moment = driver.now()
  offset = offset or core.clock() - moment
  return moment + offset
end

-- By the trace, so that all who hear of it decide alike.
local function is_chosen(trace_id, share)
  return share == nil or share >= 1 or tonumber(trace_id:sub(-8), 16) / 2 ^ 32 < share
end

local function new(settings, name, kind, trace_id, parent_id, sampled)
  return setmetatable({
    on_span = settings.on_span,
    sampled = sampled,
    over = false,
    span = {
      name = name,
      trace_id = trace_id,
      span_id = context.span_id(),
      parent_id = parent_id,
      tracestate = parent_id and context.state(settings.tracestate),
      kind = kind,
      started = now(),
      attributes = {},
      status = "unset",
    },
  }, meta)
end

--- One that begins now, below the caller's where there is one (settings.traceparent), else as a trace of its own.
---@param settings beam.settings with on_span
---@param name string
---@param kind "client"|"internal"
---@return beam.live_span
function span.begin(settings, name, kind)
  local parent = context.parse(settings.traceparent)
  if parent then
    return new(settings, name, kind, parent.trace_id, parent.span_id, parent.sampled)
  end
  local trace_id = context.trace_id()
  return new(settings, name, kind, trace_id, nil, is_chosen(trace_id, settings.sampling))
end

--- One that is a part of this.
---@param name string
---@param kind "client"|"internal"
---@return beam.live_span
function Live:child(name, kind)
  local own = self.span
  local settings = { on_span = self.on_span, tracestate = own.tracestate }
  return new(settings, name, kind, own.trace_id, own.span_id, self.sampled)
end

--- That of another trace which this belongs to as well.
---@param other beam.live_span
function Live:link(other)
  self.span.links = { { trace_id = other.span.trace_id, span_id = other.span.span_id, sampled = other.sampled } }
end

---@param name string
---@param value string|number|boolean|nil
function Live:set(name, value)
  if self.sampled then
    self.span.attributes[name] = value
  end
end

---@return string what is sent along
function Live:traceparent()
  return context.format(self.span.trace_id, self.span.span_id, self.sampled)
end

--- It did not go well.
---@param kind string error.type: a status, or the kind of an error
---@param message string?
function Live:fail(kind, message)
  self.span.status, self.span.message = "error", message
  self.span.attributes["error.type"] = kind
end

local told = setmetatable({}, { __mode = "k" }) -- functions whose failure was told: once is enough

local function deliver(on_span, finished)
  local ok, problem = pcall(on_span, finished)
  if not ok and not told[on_span] then
    told[on_span] = true
    log.write("error", "on_span failed, which is said once: " .. tostring(problem))
  end
end

-- What a server says of itself, an id for instance, may have a secret in it.
local function hide_secrets(finished)
  finished.name, finished.message = secrets.hide(finished.name), secrets.hide(finished.message)
  for name, value in pairs(finished.attributes) do
    finished.attributes[name] = secrets.hide(value)
  end
end

--- It has ended: on_span is called, which must not wait.
---@param later boolean? inside an event, where no function of the user's may run
function Live:finish(later)
  if self.over then
    return
  end
  self.over = true
  self.span.ended = now()
  if not self.sampled then
    return
  end
  hide_secrets(self.span)
  if later then
    driver.defer(function()
      deliver(self.on_span, self.span)
    end)
  else
    deliver(self.on_span, self.span)
  end
end

return span
