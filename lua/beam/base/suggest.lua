-- The known name nearest to a mistyped one, for "did you mean".
local ascii = require "beam.base.ascii"

-- Levenshtein's distance, one row at a time.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

---@param name string
---@param known table<string, any> its keys are the names
---@return string? nearest nil if none is near
return function(name, known)
  local nearest, best
  for key in pairs(known) do
    local candidate = tostring(key)
    local steps = distance(ascii.lower(name), candidate)
    if not best or steps < best or (steps == best and candidate < nearest) then
      nearest, best = candidate, steps
    end
  end
  if best and best <= math.max(1, math.floor(#name / 3)) then
    return nearest
  end
end
