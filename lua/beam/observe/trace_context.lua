-- W3C Trace Context: the header traceparent, which says which trace a request belongs to, and tracestate beside it, which is handed on.
--
--   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01      version, trace, span, flags (1: sampled)
local ascii = require "beam.base.ascii"
local core = require("beam.base.native").core()

local context = {}

local longest_state = 512 -- bytes, which all must hand on

local digits = {} -- by byte, as a text of one
for byte = 0, 255 do
  digits[string.char(byte)] = ("%02x"):format(byte)
end

local function hex(count)
  return (core.random(count):gsub(".", digits))
end

local function fresh_id(bytes)
  local id
  repeat
    id = hex(bytes)
  until id:find "[^0]" -- zeros mean: none
  return id
end

---@return string id 32 hexadecimal digits
function context.trace_id()
  return fresh_id(16)
end

---@return string id 16 hexadecimal digits
function context.span_id()
  return fresh_id(8)
end

---@class beam.trace_context
---@field trace_id string
---@field span_id string
---@field sampled boolean

--- What a traceparent says; nil if it says nothing, or is broken: then it is to be taken for none.
---@param text string?
---@return beam.trace_context?
function context.parse(text)
  local version, trace_id, span_id, flags, rest = (text or ""):match "^(%x%x)%-(%x+)%-(%x+)%-(%x%x)(.*)$"
  if not version or text:find "[A-Z]" or version == "ff" or #trace_id ~= 32 or #span_id ~= 16 then
    return nil
  elseif not trace_id:find "[^0]" or not span_id:find "[^0]" or rest ~= "" and (version == "00" or rest:sub(1, 1) ~= "-") then
    return nil
  end
  return { trace_id = trace_id, span_id = span_id, sampled = tonumber(flags, 16) % 2 == 1 }
end

---@param trace_id string
---@param span_id string
---@param sampled boolean
---@return string traceparent
function context.format(trace_id, span_id, sampled)
  return ("00-%s-%s-%s"):format(trace_id, span_id, sampled and "01" or "00")
end

--- A tracestate that may be handed on, or nil: what is broken or too long is dropped, not the request.
---@param text string?
---@return string?
function context.state(text)
  if text and text ~= "" and #text <= longest_state and not text:find "[^ -~]" then
    return text
  end
end

--- Headers with these two in the place of others of the name.
---@param headers beam.core.headers?
---@param traceparent string
---@param tracestate string?
---@return beam.core.headers
function context.put(headers, traceparent, tracestate)
  local list = {}
  for _, pair in ipairs(headers or {}) do
    local name = ascii.lower(pair[1])
    if name ~= "traceparent" and name ~= "tracestate" then
      list[#list + 1] = pair
    end
  end
  list[#list + 1] = { "traceparent", traceparent }
  if tracestate then
    list[#list + 1] = { "tracestate", tracestate }
  end
  return list
end

--- Hands on what the caller was given, where no spans are made of it.
---@param request { headers: beam.core.headers? }
---@param settings beam.settings
function context.pass(request, settings)
  if context.parse(settings.traceparent) then
    request.headers = context.put(request.headers, settings.traceparent, context.state(settings.tracestate))
  end
end

return context
