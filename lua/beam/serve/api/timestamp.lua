-- The time of day, as Beam writes it (RFC 3339): "2026-08-01T12:00:00.123456Z".
local driver = require "beam.driver"

local timestamp = {}

-- From the monotonic clock to 1970. os.time() knows whole seconds only: each that is ahead of us brings us nearer.
local offset = os.time() - driver.now()

--- Seconds since 1970; never goes back.
---@return number
function timestamp.now()
  local now = driver.now()
  offset = math.max(offset, os.time() - now)
  return now + offset
end

--- nil stays nil.
---@param seconds number?
---@return string?
function timestamp.format(seconds)
  if not seconds then
    return nil
  end
  local whole = math.floor(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. (".%06dZ"):format(math.floor((seconds - whole) * 1e6))
end

-- Days from 1970-01-01; a year begins in March here, so that the leap day is its last.
local function days_to(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  local leap_days = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leap_days + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

-- "+02:00" -> 7200
local function zone_of(text)
  local sign, hours, minutes = text:match "^([+-])(%d%d):?(%d%d)$"
  if not sign then
    return (text == "" or text == "Z") and 0 or nil
  end
  return (sign == "-" and -1 or 1) * (hours * 3600 + minutes * 60)
end

--- Reads a date, or a date and a time with or without a zone.
---@param text string
---@return number? seconds since 1970; nil if it is none
function timestamp.parse(text)
  local year, month, day, rest = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$"
  if not year then
    return nil
  end
  local seconds = days_to(tonumber(year), tonumber(month), tonumber(day)) * 86400
  if rest == "" then
    return seconds
  end
  local hour, minute, second, zone = rest:match "^[T ](%d%d):(%d%d):(%d%d%.?%d*)(.*)$"
  local shift = zone and zone_of(zone)
  return shift and seconds + hour * 3600 + minute * 60 + tonumber(second) - shift or nil
end

return timestamp
