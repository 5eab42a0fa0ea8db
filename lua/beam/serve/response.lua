-- What a handler of an endpoint may return instead of a plain value: a status of its own, headers, a body that is not JSON.
local ascii = require "beam.base.ascii"
local compat = require "beam.base.compat"
local json = require "beam.json"

local responses = {}

---@class beam.serve.response
local Response = { __name = "beam.serve.response" }

--- A response with a status of the handler's own. The body is written as JSON, unless it is a string and `headers` name a
--- content type. headers: { name = value } or a list of { name, value }.
---@param status integer
---@param body any
---@param headers table?
---@return beam.serve.response
function responses.new(status, body, headers)
  if type(status) ~= "number" or status < 200 or status > 599 or status % 1 ~= 0 then
    error("app.response wants a status from 200 to 599", 2)
  end
  return setmetatable({ status = status, body = body, headers = headers }, Response)
end

function responses.is(value)
  return getmetatable(value) == Response
end

-- As the core wants them, names in lower case; and whether a content type is among them.
local function header_list(headers)
  local list, content_type = {}, nil
  for key, value in pairs(headers or {}) do
    local name = type(value) == "table" and value[1] or key
    local text = type(value) == "table" and value[2] or value
    list[#list + 1] = { ascii.lower(tostring(name)), tostring(text) }
    content_type = content_type or list[#list][1] == "content-type" and text or nil
  end
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  return list, content_type
end

--- What a handler returned without the status and the headers.
function responses.body(value)
  if responses.is(value) then
    return value.body
  end
  return value
end

--- The one value that a handler's results are: of several, Python's tuple, which JSON has as an array. results: true and what it returned.
---@param results table packed
function responses.value(results)
  if results.n > 2 then
    return json.array { compat.unpack(results, 2, results.n) }
  end
  return results[2]
end

--- status, headers (a list) and body of what a handler returned; or nil and why it cannot be sent.
---@return integer? status, beam.core.headers|string headers, string? body
function responses.render(value)
  if not responses.is(value) then
    value = { status = 200, body = value }
  end
  local headers, content_type = header_list(value.headers)
  if content_type and type(value.body) == "string" then
    return value.status, headers, value.body
  end
  local body, message = json.encode(value.body)
  if not body then
    return nil, message
  end
  if not content_type then
    headers[#headers + 1] = { "content-type", "application/json" }
  end
  return value.status, headers, body
end

return responses
