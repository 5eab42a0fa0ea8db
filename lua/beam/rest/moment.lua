-- Points in time as Beam's API wants them, "2026-08-01T10:00:00Z": from seconds ago, from "10m", or from one of the API's own.
local http_date = require "beam.http.date"

local moment = {}

local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local units = { s = 1, m = 60, h = 3600, d = 86400 }

---@param seconds number since 1970
---@return string
function moment.format(seconds)
  return (os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds)))
end

--- Seconds since 1970 of what the API writes; nil for another form. What is behind the point is left out.
---@param text any
---@return integer?
function moment.parse(text)
  local year, month, day, time = tostring(text):match "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d:%d%d:%d%d)%.?%d*Z$"
  local name = months[tonumber(month)]
  return name and http_date.parse(("Sun, %s %s %s %s GMT"):format(day, name, year, time), 0)
end

local function seconds_of(since)
  if type(since) == "number" then
    return since
  end
  local number, unit = tostring(since):match "^(%d+%.?%d*)([smhd]?)$"
  return number and tonumber(number) * (units[unit] or 1)
end

--- What `since` means: seconds ago, "90s", "10m", "2h", "1d" ago, or a time in the API's form.
---@param since number|string
---@return string? time nil: it means nothing
function moment.of(since)
  local ago = seconds_of(since)
  if ago and ago >= 0 and ago < 1e10 then
    return moment.format(os.time() - ago)
  elseif type(since) == "string" and since:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d[%d.]*[Z+-][%d:]*$" then
    return since
  end
end

return moment
