-- Dates in HTTP headers (RFC 9110, section 5.6.7): the one form that is sent today, and the two older ones that must be
-- understood.
--
--   Sun, 06 Nov 1994 08:49:37 GMT      Sunday, 06-Nov-94 08:49:37 GMT      Sun Nov  6 08:49:37 1994
local http_date = {}

local months = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }
local month_days = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local mean_year = 365.2425 * 86400 -- seconds

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

-- Days from 1970-01-01 to the first of the month. The year is taken to begin in March, so that the leap day is its last.
local function days_before(year, month)
  if month <= 2 then
    year = year - 1
  end
  local month_from_march = (month + 9) % 12
  local leap_days = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leap_days + math.floor((153 * month_from_march + 2) / 5) - 719468
end

-- The year that ends in these two digits, 50 years ahead at most.
local function whole_year(two_digits, now)
  local this_year = 1970 + math.floor(now / mean_year)
  local year = this_year - this_year % 100 + 100 + two_digits
  while year > this_year + 50 do
    year = year - 100
  end
  return year
end

local month_name, time = "([A-Za-z][A-Za-z][A-Za-z])", "(%d%d):(%d%d):(%d%d)"

-- year, month (a name), day, hour, minute, second; all as text.
local function split(text, now)
  local day, month, year, hour, minute, second = text:match("^[A-Za-z]+, (%d%d) " .. month_name .. " (%d%d%d%d) " .. time .. " GMT$")
  if not day then
    day, month, year, hour, minute, second = text:match("^[A-Za-z]+, (%d%d)%-" .. month_name .. "%-(%d%d) " .. time .. " GMT$")
    year = year and whole_year(tonumber(year), now)
  end
  if not day then
    month, day, hour, minute, second, year = text:match("^[A-Za-z]+ " .. month_name .. " ([ %d]%d) " .. time .. " (%d%d%d%d)$")
  end
  return year, month, day, hour, minute, second
end

--- The time that a date in a header means, in seconds since 1970. The day of the week is not looked at.
---@param text string
---@param now integer os.time(), for the form that has two digits of the year only
---@return integer? seconds nil if it is no date
function http_date.parse(text, now)
  local year, name, day, hour, minute, second = split(text, now)
  local month = months[name]
  if not month then
    return nil
  end
  year, day, hour, minute, second = tonumber(year), tonumber(day), tonumber(hour), tonumber(minute), tonumber(second)
  local days = month_days[month] + (month == 2 and is_leap(year) and 1 or 0)
  if day < 1 or day > days or hour > 23 or minute > 59 or second > 60 then -- 60: a leap second
    return nil
  end
  return (days_before(year, month) + day - 1) * 86400 + hour * 3600 + minute * 60 + second
end

return http_date
