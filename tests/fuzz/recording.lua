-- Any text as a recording: a message with the line's number, or events; what was read is written, and read again the same.
local recording = require "beam.recording"
local matching = require "beam.record.replay.matching"

local header = recording.header("0.1.0", "2026-11-21T23:34:34Z")

local function same(a, b, path)
  if type(a) ~= "table" or type(b) ~= "table" then
    assert(a == b, path .. " came back otherwise")
    return
  end
  for key, value in pairs(a) do
    same(value, b[key], path .. "." .. tostring(key))
  end
  for key in pairs(b) do
    assert(a[key] ~= nil, path .. "." .. tostring(key) .. " is new")
  end
end

local function write(read)
  local lines = { recording.header(read.beamlua, read.started) }
  for _, event in ipairs(read.events) do
    lines[#lines + 1] = recording.line(event)
  end
  return table.concat(lines)
end

-- Every exchange may be played, and each comes once.
local function play_all(read)
  local waiting, skipped = matching.new(read)
  local total, played = #waiting:missing(), 0
  repeat
    local first = waiting:candidates()[1]
    if first then
      played = played + 1
      assert(waiting:take(first.kind, function()
        return nil, 1
      end))
    end
  until not first
  assert(played == total and #skipped >= 0, "some were never played")
end

local function try(text)
  local read, message = recording.parse(text)
  if not read then
    assert(message:find "^line %d+: ", message)
    return
  end
  local again = write(read)
  local second = assert(recording.parse(again))
  for i, event in ipairs(read.events) do
    event.at, second.events[i].at = 0, 0 -- written to the microsecond
    second.events[i].line = event.line
  end
  same(read, second, "recording")
  play_all(read)
end

-- Half of the inputs have a header already, so that what is behind it is reached.
return function(bytes)
  if bytes:byte(1) == 43 then
    try(header .. bytes:sub(2))
  else
    try(bytes)
  end
end
