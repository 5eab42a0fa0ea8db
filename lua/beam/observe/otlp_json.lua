-- Spans as OpenTelemetry's OTLP/HTTP wants them: JSON after opentelemetry/proto/collector/trace/v1, with ids in hexadecimal digits and
-- 64-bit numbers as texts.
local json = require "beam.json"
local visible = require "beam.base.visible"

local otlp_json = {}

local kinds = { internal = 1, client = 3 }
local statuses = { unset = 0, error = 2 }

-- Nanoseconds since 1970: more than a float holds.
local function nanoseconds(seconds)
  local whole = math.floor(seconds)
  return ("%d%09d"):format(whole, math.floor((seconds - whole) * 1e9))
end

local function value_of(value)
  local kind = type(value)
  if kind == "boolean" then
    return { boolValue = value }
  elseif kind == "number" and value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53 then
    return { intValue = ("%d"):format(value) }
  elseif kind == "number" and value == value and value < math.huge and value > -math.huge then
    return { doubleValue = value }
  end
  return { stringValue = visible.line(tostring(value)) } -- JSON takes nothing but UTF-8
end

--- A table as a list of keys and values, in their order.
---@param attributes table<string, string|number|boolean>
---@return table[]
function otlp_json.attributes(attributes)
  local names, list = {}, json.array {}
  for name in pairs(attributes) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[i] = { key = name, value = value_of(attributes[name]) }
  end
  return list
end

local function links_of(links)
  local list = json.array {}
  for i, link in ipairs(links or {}) do
    list[i] = { traceId = link.trace_id, spanId = link.span_id }
  end
  return list
end

---@param span beam.span
local function span_of(span)
  return {
    traceId = span.trace_id,
    spanId = span.span_id,
    parentSpanId = span.parent_id,
    traceState = span.tracestate,
    name = visible.line(span.name),
    kind = kinds[span.kind],
    startTimeUnixNano = nanoseconds(span.started),
    endTimeUnixNano = nanoseconds(span.ended),
    attributes = otlp_json.attributes(span.attributes),
    links = links_of(span.links),
    status = { code = statuses[span.status], message = span.message and visible.line(span.message) },
  }
end

--- The body of a request.
---@param spans beam.span[]
---@param resource table[] attributes of who sends them
---@param version string of the module
---@return string? text, string? problem
function otlp_json.encode(spans, resource, version)
  local list = json.array {}
  for i, span in ipairs(spans) do
    list[i] = span_of(span)
  end
  local scope = { scope = { name = "lua-beam", version = version }, spans = list }
  return json.encode { resourceSpans = { { resource = { attributes = resource }, scopeSpans = { scope } } } }
end

--- How many spans an answer says were refused: of those that it is about.
---@param body string?
---@param most integer that many were sent
---@return integer count, string? why
function otlp_json.rejected(body, most)
  local value = body and body ~= "" and json.decode(body)
  local part = type(value) == "table" and value.partialSuccess
  if type(part) ~= "table" then
    return 0
  end
  local count = tonumber(part.rejectedSpans) or 0
  return count > 0 and math.ceil(math.min(count, most)) or 0, type(part.errorMessage) == "string" and part.errorMessage or nil
end

return otlp_json
