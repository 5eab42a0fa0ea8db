-- How the text of an option becomes its value: functions of the text and of the value it had before; nil, problem for what is none.
local readers = {}

function readers.text(value)
  return value
end

local longest = 1e9 -- seconds: what the event loop takes, and no mistake

--- A number of seconds above 0.
function readers.seconds(value)
  local number = tonumber(value)
  return number and number > 0 and number <= longest and number or nil, "wants a number of seconds above 0, up to 1e9"
end

local units = { [""] = 1, ms = 0.001, s = 1, m = 60, h = 3600 }

--- A number of seconds above 0, or of another unit: 500ms, 30s, 5m, 2h.
function readers.duration(value)
  local number, unit = value:match "^([0-9.]+)([a-z]*)$"
  local seconds = tonumber(number) and units[unit] and tonumber(number) * units[unit]
  return seconds and seconds > 0 and seconds <= longest and seconds or nil, "wants a time above 0: 30s, 5m, 1h"
end

--- A point in time, or how long ago it was.
function readers.moment(value)
  return require("beam.rest.moment").of(value) and value or nil, "wants 90s, 10m, 2h, 1d or a time like 2026-08-01T10:00:00Z"
end

function readers.factor(value)
  local number = tonumber(value)
  return number and number > 0 and number < math.huge and number or nil, "wants a number above 0"
end

--- Seconds, and 0 for none.
function readers.pause(value)
  local number = tonumber(value)
  return number and number >= 0 and number <= longest and number or nil, "wants a number of seconds, up to 1e9"
end

function readers.count(value)
  local number = math.tointeger(tonumber(value))
  return number and number >= 1 and number or nil, "wants a whole number above 0"
end

function readers.natural(value)
  local number = math.tointeger(tonumber(value))
  return number and number >= 0 and number or nil, "wants a whole number"
end

function readers.port(value)
  local number = math.tointeger(tonumber(value))
  return number and number >= 0 and number <= 65535 and number or nil, "wants a port, 0 to 65535"
end

--- The first line of the file that is named.
function readers.first_line(path)
  local file, problem = io.open(path)
  local line = file and file:read "l"
  if file then
    file:close()
  end
  return line and (line:gsub("\r$", "")) or nil, "wants a file with a line in it" .. (problem and " (" .. problem .. ")" or "")
end

--- One of the words.
function readers.one_of(...)
  local words = { ... }
  return function(value)
    for _, word in ipairs(words) do
      if word == value then
        return value
      end
    end
    return nil, "is one of " .. table.concat(words, ", ")
  end
end

--- "Name: value"; several make a table.
function readers.header(value, before)
  local name, content = value:match "^([^%s:]+):%s*(.*)$"
  if not name then
    return nil, "wants 'Name: value'"
  end
  local headers = before or {}
  local same = headers[name]
  if same then
    same = type(same) == "table" and same or { same }
    table.insert(same, content)
  end
  headers[name] = same or content
  return headers
end

--- "NAME=VALUE"; several make a list.
function readers.field(value, before)
  local list = before or {}
  list[#list + 1] = value
  return value:find "^[^=]+=" and list or nil, "wants NAME=VALUE or NAME=@FILE"
end

--- Each a word; several make a list.
function readers.list(value, before)
  local list = before or {}
  for word in value:gmatch "[^,]+" do
    list[#list + 1] = word
  end
  return list
end

function readers.basic(value)
  local id, secret = value:match "^([^:]+):(.+)$"
  return id and { id = id, secret = secret } or nil, "wants ID:SECRET"
end

return readers
