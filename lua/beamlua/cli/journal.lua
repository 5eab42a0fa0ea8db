-- What became of each line of `beamlua map`, in a file that is only added to:
--
--   {"map":"NAME"}              the first line
--   s 12                        the call for line 12 begins
--   {"line":12,"result":…}      how it ended; what stands later holds
--
-- A call that begins is written before it is sent, and its end before it is printed: whenever the process is ended, a line whose call
-- may have run is one that has begun here, or ended.
local errors = require "beam.error"
local json = require "beam.json"
local write_line = require "beam.base.write_line"

local Journal = {}
Journal.__index = Journal

local journal = {}

local function fail(path, problem)
  return nil, errors.new { kind = "invalid", message = ("%s: %s"):format(path, problem) }
end

-- ---- Reading ----

-- A record; a result is read by itself, as it may be nested as deep as can be read.
local function decode(text)
  local line, result = text:match '^{"line":(%d+),"result":(.*)}$'
  if line and json.decode(result) ~= nil then
    return { line = tonumber(line) }
  end
  return text:sub(1, 8) == '{"line":' and json.decode(text)
end

-- A line that a killed process did not write to its end is no JSON, and as if it were not there.
local function take(self, text, offset)
  local started = text:match "^s (%d+)$"
  if started then
    self.begun[tonumber(started)], self.not_run[tonumber(started)] = true, nil
    return
  end
  local record = decode(text)
  if type(record) == "table" and record.line then
    local executed = type(record.error) == "table" and record.error.executed
    local surely_not = executed == "no"
    self.begun[record.line], self.may_have_run[record.line] = true, executed == "unknown" or nil
    self.ended[record.line] = not surely_not and { offset = offset, size = #text } or nil
    self.not_run[record.line] = surely_not or nil
  end
end

local function read(self, name)
  local file = io.open(self.path, "rb")
  if not file then
    return true
  end
  local offset = 0
  for text in file:lines() do
    local head = offset == 0 and json.decode(text)
    if offset == 0 and (type(head) ~= "table" or head.map ~= name) then
      file:close()
      return fail(self.path, ("it is of another command than 'beamlua map %s'"):format(name))
    end
    take(self, text, offset)
    offset = offset + #text + 1
  end
  self.empty = offset == 0
  self.torn = not self.empty and file:seek("end", -1) ~= nil and file:read(1) ~= "\n"
  file:close()
  return true
end

-- ---- Writing ----

local function write(self, text)
  write_line(self.file, self.path, text)
end

--- The call for a line begins.
---@param line integer
function Journal:begin(line)
  write(self, "s " .. line)
end

--- A line's call has ended.
---@param record string JSON
function Journal:finish(record)
  write(self, record)
end

--- What is known of a line from before: "ended", "unknown" (it began), or nil: it is to be run.
---@param line integer
---@param again boolean? what may have run, and was listed so, has not ended
---@return string?
function Journal:knows(line, again)
  if self.ended[line] and not (again and self.may_have_run[line]) then
    return "ended"
  elseif self.begun[line] and not self.not_run[line] then
    return "unknown"
  end
end

--- The record of a line that had ended.
---@param line integer
---@return string
function Journal:record(line)
  local place = self.ended[line]
  self.reader = self.reader or assert(io.open(self.path, "rb"))
  self.reader:seek("set", place.offset)
  return self.reader:read(place.size)
end

--- Opens the journal at this path, or makes it.
---@param path string
---@param name string of the deployment
---@return table? journal, beam.error? err
function journal.open(path, name)
  local self = setmetatable({ path = path, begun = {}, ended = {}, not_run = {}, may_have_run = {}, torn = false, empty = true }, Journal)
  local ok, err = read(self, name)
  if not ok then
    return nil, err
  end
  local file, problem = io.open(path, "ab")
  if not file then
    return fail(path, problem)
  end
  self.file = file
  if self.empty then
    write(self, json.encode { map = name })
  elseif self.torn then
    write(self, "")
  end
  return self
end

return journal
