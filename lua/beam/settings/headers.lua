-- HTTP headers: {name = value} or {name = {value, value}} for people, ordered pairs for beam.core.
local mistake = require "beam.base.mistake"
local secrets = require "beam.settings.secrets"

local headers = {}

--- The pairs of a table of headers, by name, so that the same table is always sent the same way.
---@param given table<string, string|number|(string|number)[]>?
---@return beam.core.headers
function headers.to_pairs(given)
  if not given then
    return {}
  end
  local names, list = {}, {}
  for name in pairs(given) do
    if type(name) ~= "string" then
      mistake "beam: headers are a table {name = value}"
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = given[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      list[#list + 1] = { name, tostring(value) }
    end
  end
  secrets.learn_headers(list)
  return list
end

--- A table of received headers, names in lower case; what came several times is joined by commas (RFC 9110, section
--- 5.3).
---@param list beam.core.headers|table<string, string>|nil one that the core has made already stays
---@return table<string, string>
function headers.to_table(list)
  if list and not list[1] then
    return list
  end
  local result = {}
  for _, pair in ipairs(list or {}) do
    local name, value = pair[1], pair[2]
    result[name] = result[name] and result[name] .. ", " .. value or value
  end
  return result
end

return headers
