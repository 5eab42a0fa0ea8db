-- A query string from a table, by name, so that the same table is always sent the same way. Lists become "a,b", as beta9 reads them;
-- false is sent, nil not.
local percent = require "beam.base.percent"

local function text_of(value)
  if type(value) == "table" then
    return table.concat(value, ",")
  elseif type(value) == "number" and value % 1 == 0 then
    return ("%d"):format(value)
  end
  return tostring(value)
end

---@param values table<string, string|number|boolean|(string|number)[]>?
---@return string query "" or "?a=1&b=2"
return function(values)
  local pairs_of = {}
  for name, value in pairs(values or {}) do
    pairs_of[#pairs_of + 1] = percent.encode(name, ",") .. "=" .. percent.encode(text_of(value), ",")
  end
  table.sort(pairs_of)
  return pairs_of[1] and "?" .. table.concat(pairs_of, "&") or ""
end
