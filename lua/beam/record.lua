-- Writes what passes between this program and Beam into a file (docs/record.md), to be looked at and to be played again by `beamlua serve
-- --replay`:
--
--   require("beam.record").to "session.jsonl"
--
-- Everything passes beam.core: its contexts are wrapped (record/tap.lua), and nothing else of beam knows of it. Each line is in the file
-- when the event is over; a file that cannot be written any more, or is full, is told of once, and the program goes on without it.
local driver = require "beam.driver"
local errors = require "beam.error"
local log = require "beam.log"
local native = require "beam.base.native"
local recording = require "beam.recording"
local secrets = require "beam.settings.secrets"
local tap = require "beam.record.tap"

local record = {}

local current -- the recorder, while there is one

local most_bytes = 256 * 1024 * 1024
local longest_end = 100 -- bytes of the line that says that the file is full

---@class beam.recorder
---@field secrets table lua/beam/settings/secret_list.lua
---@field stopped boolean
local Recorder = {}
Recorder.__index = Recorder
Recorder.__name = "beam.recorder"

local function close(self)
  self.stopped = true
  self.file:close()
  if current == self then
    current = nil
  end
end

local function put(self, line)
  self.bytes = self.bytes + #line
  return self.file:write(line)
end

local function give_up(self, problem)
  close(self)
  log.write("warning", ("the recording %s ends here: %s"):format(self.path, problem))
end

--- Writes an event, unless the recording has ended.
---@param event table as recording.line wants it, without `at`
---@param now number the context's time
function Recorder:write(event, now)
  if self.stopped then
    return
  end
  self.started = self.started or now
  self.last = math.max(self.last, now - self.started)
  event.at = self.last
  local line = recording.line(event)
  local full = self.bytes + #line > self.max_bytes - longest_end
  if full then
    line = recording.line { event = "full", at = event.at, bytes = self.max_bytes }
  end
  local ok, problem = put(self, line)
  if not ok or full then
    give_up(self, problem or ("it has the %d bytes that it may have"):format(self.max_bytes))
  end
end

--- The next number of a connection or a request.
---@param kind "connection"|"request"
---@return integer
function Recorder:number(kind)
  self.count[kind] = self.count[kind] + 1
  return self.count[kind]
end

--- Ends the recording. May be called twice.
function Recorder:stop()
  if not self.stopped then
    close(self)
  end
end

local function check(path, options)
  if type(path) ~= "string" then
    error("beam.record.to wants the path of a file, not a " .. type(path), 3)
  end
  errors.check_options(options, { max_bytes = true }, "beam.record.to")
  local bound = options.max_bytes
  if bound ~= nil and not (type(bound) == "number" and bound >= 1024 and bound % 1 == 0) then
    error("beam.record.to: max_bytes is a whole number of at least 1024", 3)
  elseif current then
    error(("beam.record.to: %s is being recorded already"):format(current.path), 3)
  elseif not tap.is_tapped(driver.context()) then
    error('beam.record.to: require "beam.record" before the first use of beam; this program has connected or waited already', 3)
  end
end

--- Starts to record what begins from now on. This module has to be loaded before the first use of beam, as the contexts of before are not
--- wrapped.
---@param path string a file that is there already is overwritten
---@param options { max_bytes: integer? }? bytes of the file, default 256 MiB
---@return beam.recorder? recorder with stop()
---@return beam.error? err of kind "invalid": the file cannot be written
function record.to(path, options)
  options = options or {}
  check(path, options)
  local file, problem = io.open(path, "wb")
  if not file then
    return nil, errors.new { kind = "invalid", message = "the recording cannot be written: " .. problem }
  end
  file:setvbuf "no" -- each line is there at once; and compiled by LuaJIT, a flush that fails looks as if it had not
  local self = setmetatable({
    path = path,
    file = file,
    bytes = 0,
    max_bytes = options.max_bytes or most_bytes,
    last = 0,
    count = { connection = 0, request = 0 },
    secrets = secrets.known,
    stopped = false,
  }, Recorder)
  for _, name in ipairs { "BEAM_TOKEN", "BETA9_TOKEN", "BEAM_CLIENT_SECRET" } do
    self.secrets:learn(os.getenv(name))
  end
  self.started = driver.now()
  local ok
  ok, problem = put(self, recording.header(require("beam")._VERSION, os.date "!%Y-%m-%dT%H:%M:%SZ"))
  if not ok then
    close(self)
    return nil, errors.new { kind = "invalid", message = ("the recording cannot be written: %s: %s"):format(path, problem) }
  end
  current = self
  return self
end

tap.install(native.core(), function()
  return current
end)

return record
