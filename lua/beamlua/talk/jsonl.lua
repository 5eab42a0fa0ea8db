-- beamlua realtime --jsonl, for programs: all that happens as lines of JSON on standard output, each with the time it came.
local failure = require "beamlua.cli.failure"
local json = require "beam.json"
local output = require "beamlua.cli.output"
local plain = require "beamlua.talk.plain"

local Events = {}
Events.__index = Events

local events = {}

function events.new()
  return setmetatable({}, Events)
end

-- { name, JSON } pairs, in this order.
local function write(event, ...)
  local parts = { ('{"event":%s,"time":%d'):format(json.encode(event), os.time()) }
  for _, pair in ipairs { ... } do
    parts[#parts + 1] = ("%s:%s"):format(json.encode(pair[1]), pair[2])
  end
  output.line(table.concat(parts, ",") .. "}")
end

function Events.message(_, data, kind)
  write("message", { "kind", json.encode(kind) }, { "data", plain.as_json(data, kind) })
end

function Events.sent(_, line)
  write("sent", { "data", plain.as_json(line, "text") })
end

function Events.phase(_, phase, seconds)
  write("phase", { "phase", json.encode(phase) }, { "seconds", json.encode(seconds) })
end

function Events.lost(_, err, seconds)
  write("lost", { "error", failure.json(err) }, { "retry_in", seconds and json.encode(seconds) or "null" })
end

function Events.finish(_, err)
  write("closed", { "error", err and failure.json(err) or "null" })
end

function Events.command() end

return events
