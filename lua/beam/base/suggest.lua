-- The known name nearest to a mistyped one, for "did you mean".
local ascii = require "beam.base.ascii"

-- How many letters are too much, missing, others, or two that changed places (the optimal string alignment distance), one row at a time.
local function distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local next_row = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      next_row[j] = math.min(row[j] + 1, next_row[j - 1] + 1, row[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        next_row[j] = math.min(next_row[j], before[j - 2] + 1)
      end
    end
    before, row = row, next_row
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
