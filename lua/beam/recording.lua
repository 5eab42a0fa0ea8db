-- The format of recordings (docs/record.md): one JSON object a line. The first is the header, each further one an event:
--
--   {"recording":"beam","version":1,"beamlua":"0.1.0","started":"2026-11-21T23:34:34Z"}
--   {"at":0.0021,"connection":1,"event":"connect","host":"app.beam.cloud","target":"/asgi/echo","headers":[]}
--   {"at":0.1042,"connection":1,"event":"sent","text":"{\"x\":1}"}
--
-- Connections and requests are numbered from 1, each in the order in which they began. Bytes stand in `text`, or in `base64` where they are
-- no UTF-8 and for binary messages; in the tables here they are `data`, and `binary` says which. The reader is strict: a line that the
-- writer would not have written is refused, by its number.
local base64 = require "beam.base64"
local errors = require "beam.error"
local first_invalid = require("beam.json.text").bad_utf8
local json = require "beam.json"
local schema = require "beam.record.schema"

local recording = { version = 1 }

local events, checks = schema.events, schema.checks

-- ---- Writing ----

-- Whatever a server puts into a header has to be written: bytes that are no UTF-8 become question marks there.
local function as_text(value)
  return first_invalid(value) and (value:gsub("[\128-\255]", "?")) or value
end

local function put(pieces, name, value)
  if value ~= nil then
    pieces[#pieces + 1] = ('"%s":%s'):format(name, assert(json.encode(type(value) == "string" and as_text(value) or value)))
  end
end

local function put_data(pieces, event)
  local text = not event.binary and json.encode(event.data)
  if text then
    pieces[#pieces + 1] = '"text":' .. text
  else
    put(pieces, "base64", base64.encode(event.data))
  end
end

-- Pairs that came from elsewhere are not marked as arrays: empty ones would be objects.
local function as_pairs(headers)
  local list = json.array {}
  for i, pair in ipairs(headers) do
    list[i] = json.array { as_text(pair[1]), as_text(pair[2]) }
  end
  return list
end

--- The first line.
---@param program string its release
---@param started string the time, ISO 8601
---@return string line with its end
function recording.header(program, started)
  local pieces = { '"recording":"beam"', '"version":' .. recording.version }
  put(pieces, "beamlua", program)
  put(pieces, "started", started)
  return "{" .. table.concat(pieces, ",") .. "}\n"
end

--- The line of an event.
---@param event table at, connection or request, event, and the fields of that event
---@return string line with its end
function recording.line(event)
  local kind = events[event.event]
  local pieces = { '"at":' .. ("%.6f"):format(event.at):gsub(",", ".") } -- some locales have a comma
  if kind.of then
    put(pieces, kind.of, event[kind.of])
  end
  put(pieces, "event", event.event)
  for _, field in ipairs(kind) do
    local name = field:gsub("%?$", "")
    if name == "data" and event.data then
      put_data(pieces, event)
    elseif name == "headers" and event.headers then
      put(pieces, name, as_pairs(event.headers))
    elseif name ~= "data" then
      put(pieces, name, event[name])
    end
  end
  return "{" .. table.concat(pieces, ",") .. "}\n"
end

-- ---- Reading ----

-- Raised by the functions below, caught by recording.parse.
local function refuse(format, ...)
  error({ problem = format:format(...) }, 0)
end

local function read_object(line)
  local object, message = json.decode(line)
  local invalid = first_invalid(line)
  if invalid then
    refuse("byte %d is not UTF-8", invalid)
  elseif object == nil then
    refuse("no JSON: %s", message)
  elseif type(object) ~= "table" or json.is_array(object) then
    refuse "no JSON object"
  end
  return object
end

local function read_header(line)
  local header = read_object(line)
  if header.recording ~= "beam" then
    refuse "no header of a recording"
  elseif header.version ~= recording.version then
    refuse("version %s of the format; this is for version %d", json.encode(header.version) or "?", recording.version)
  elseif not (schema.is_text(header.beamlua) and schema.is_text(header.started)) then
    refuse "the header wants beamlua and started"
  end
  return { version = header.version, beamlua = header.beamlua, started = header.started, events = {} }
end

local function check_field(object, name)
  local value, check = object[name], checks[name]
  if value ~= nil and not check[1](value) then
    refuse("%s is to be %s", name, check[2])
  end
  return value ~= nil
end

-- Puts data and binary in the place of text or base64. Returns whether there was one.
local function read_data(object)
  local text, coded = check_field(object, "text"), check_field(object, "base64")
  if text and coded then
    refuse "text and base64 at once"
  elseif text then
    object.data, object.text = object.text, nil
  elseif coded then
    object.data = base64.decode(object.base64) or refuse "base64 is none"
    object.binary, object.base64 = true, nil
  end
  return text or coded
end

local function check_fields(object, kind)
  local known = { at = true, event = true, binary = true, line = true }
  if object.data ~= nil or object.binary ~= nil or object.line ~= nil then
    refuse "an unknown field: data, binary or line"
  end
  if kind.of then
    known[kind.of] = true
  end
  for _, field in ipairs(kind) do
    local name, optional = field:match "^([0-9A-Za-z_]+)(%??)$"
    local there = (name == "data" and read_data or check_field)(object, name)
    if not there and optional == "" then
      refuse("%s wants %s", object.event, name == "data" and "text or base64" or name)
    end
    known[name] = true
  end
  for name in pairs(object) do
    if not known[name] then
      refuse("%s has no field '%s'", object.event, tostring(name))
    end
  end
end

-- What is open, and how many there were: numbers without gaps, one beginning and at most one end each.
local function check_order(object, kind, state)
  local number = object[kind.of]
  if not schema.is_natural(number) then
    refuse("%s wants the number of its %s", object.event, kind.of)
  end
  local open, count = state[kind.of], state.count[kind.of]
  if kind.begins and number ~= count + 1 then
    refuse("%s %d begins after %s %d", kind.of, number, kind.of, count)
  elseif kind.begins then
    open[number], state.count[kind.of] = true, number
  elseif not open[number] then
    refuse("%s of %s %d, which is not open", object.event, kind.of, number)
  elseif kind.ends then
    open[number] = nil
  end
end

local function read_event(line, state)
  local object = read_object(line)
  local kind = schema.is_text(object.event) and events[object.event]
  if not kind then
    refuse("no event '%s'", tostring(object.event))
  elseif state.full then
    refuse "nothing may follow the event full"
  elseif type(object.at) ~= "number" or object.at < state.at or object.at > 2 ^ 53 then
    refuse("at is to be seconds, not before those of the line above it (%g)", state.at)
  end
  check_fields(object, kind)
  if kind.of then
    check_order(object, kind, state)
  end
  state.at, state.full = object.at, object.event == "full"
  return object
end

-- Calls take(line, number) for each line.
local function each_line(text, take)
  local first, number = 1, 0
  while first <= #text do
    local last = text:find("\n", first, true)
    number = number + 1
    local ok, problem = pcall(take, last and text:sub(first, last - 1), number)
    if not ok then
      return nil, type(problem) == "table" and ("line %d: %s"):format(number, problem.problem) or error(problem, 0)
    end
    first = last + 1
  end
  return true
end

---@class beam.recording
---@field version integer
---@field beamlua string release that wrote it
---@field started string
---@field events table[] in order; line: where it stands

--- Reads the text of a recording.
---@param text string
---@return beam.recording?
---@return string? message "line 3: …"
function recording.parse(text)
  local result
  local state = { at = 0, full = false, connection = {}, request = {}, count = { connection = 0, request = 0 } }
  local ok, message = each_line(text, function(line, number)
    if not line then
      refuse "it is cut off"
    elseif number == 1 then
      result = read_header(line)
    else
      local event = read_event(line, state)
      event.line = number
      table.insert(result.events, event)
    end
  end)
  if not ok then
    return nil, message
  elseif not result then
    return nil, "line 1: no header of a recording"
  end
  return result
end

--- Reads a recording.
---@param path string
---@return beam.recording?
---@return beam.error? err of kind "invalid"
function recording.read(path)
  local file, problem = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  if not text then
    return nil, errors.new { kind = "invalid", message = "the recording cannot be read: " .. (problem or path) }
  end
  local result, message = recording.parse(text)
  if not result then
    return nil, errors.new { kind = "invalid", message = ("%s, %s"):format(path, message) }
  end
  return result
end

return recording
