-- Numbers as people read them.
local units = {}

--- A time with three digits that count: 85 µs, 3.21 ms, 12.3 s.
---@param seconds number?
---@return string
function units.time(seconds)
  if not seconds then
    return "–"
  end
  local unit, value = "s", seconds
  if seconds < 0.0009995 then
    unit, value = "µs", seconds * 1e6
  elseif seconds < 0.9995 then
    unit, value = "ms", seconds * 1e3
  end
  local digits = value < 9.995 and unit ~= "µs" and 2 or value < 99.95 and unit ~= "µs" and 1 or 0
  return ("%." .. digits .. "f %s"):format(value, unit)
end

--- A time for a scale: 1 ms, 0.5 s.
---@param seconds number
---@return string
function units.short(seconds)
  if seconds < 0.00099 then
    return ("%.3g µs"):format(seconds * 1e6)
  end
  return seconds < 0.99 and ("%.3g ms"):format(seconds * 1e3) or ("%.3g s"):format(seconds)
end

--- 1234567 as 1,234,567.
---@param number integer
---@return string
function units.count(number)
  local text = ("%d"):format(number)
  local first = #text % 3
  local parts = { first > 0 and text:sub(1, first) or nil }
  for at = first + 1, #text, 3 do
    parts[#parts + 1] = text:sub(at, at + 2)
  end
  return table.concat(parts, ",")
end

--- So many a second.
---@param number number
---@return string
function units.rate(number)
  if number >= 1000 then
    return units.count(math.floor(number + 0.5))
  end
  return ("%.1f"):format(number)
end

---@param number integer
---@return string
function units.bytes(number)
  if number < 10000 then
    return units.count(number) .. " bytes"
  end
  return number < 1e6 and ("%.1f kB"):format(number / 1e3) or ("%.1f MB"):format(number / 1e6)
end

--- A share, as percent.
---@param part number
---@param whole number
---@return string
function units.share(part, whole)
  local percent = whole > 0 and 100 * part / whole or 0
  return (percent > 0 and percent < 0.1 and "%.3f %%" or "%.1f %%"):format(percent)
end

---@param number number
---@param one string "call"
---@param many string? "calls"
---@return string
function units.several(number, one, many)
  return ("%s %s"):format(units.count(number), number == 1 and one or many or one .. "s")
end

return units
