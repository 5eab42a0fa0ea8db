-- The messages of a connection that nobody has read yet: what lua/binding/arrivals.c does, after the contract in lua/binding/core.lua.
local new_json = require("beam.core").json
local watch = require "beam.realtime.heartbeat"

local Arrivals = {}
Arrivals.__index = Arrivals
Arrivals.__name = "beam.arrivals"

local batch, batches_to_max = 32, 4

local function new(max, max_bytes, filters_pings)
  local self = { max = max, max_bytes = max_bytes, filters_pings = filters_pings, first = 1, last = 0, bytes = 0, messages = 0, pings = 0 }
  self.full = false
  return setmetatable(self, Arrivals)
end

--- Takes a message in. false: it is an event of its own.
function Arrivals:keep(data, binary)
  if self.is_each then
    return false
  elseif self.filters_pings and not binary and watch.is_app_ping(data) then
    self.pings = self.pings + 1
    return true
  elseif #data > 16384 then
    return false
  end
  self.last = self.last + 1
  self[self.last] = { data, binary }
  self.bytes = self.bytes + #data
  self.messages = self.messages + 1
  self.full = self.full or self:waiting() >= self.max or self.bytes >= self.max_bytes
  return true
end

function Arrivals:waiting()
  return self.last - self.first + 1, self.bytes, self.full
end

function Arrivals:news()
  local messages, pings = self.messages, self.pings
  self.messages, self.pings = 0, 0
  return messages, pings, self.full
end

function Arrivals:told_one()
  local one = self.messages == 1 and self.pings == 0 and self:waiting() == 1 and not self.full
  if one then
    self.messages = 0
  end
  return one
end

function Arrivals:each(on)
  self.is_each = on
end

function Arrivals:pop()
  local record = self[self.first]
  if not record then
    return
  end
  self[self.first] = nil
  self.first = self.first + 1
  self.bytes = self.bytes - #record[1]
  if self:waiting() <= self.max / 2 and self.bytes <= self.max_bytes / 2 then
    self.full = false
  end
  return record[1], record[2]
end

--- core.arrivals
return function(marks)
  local decode = new_json(marks)
  local function decoded(data, binary, undecoded)
    local value = nil
    if not binary and not undecoded then
      value = decode(data)
    end
    if value == nil then
      return data, binary and "binary" or "text"
    end
    return value, "json"
  end
  return new, function(self, values, kinds, undecoded)
    local count, bytes = 0, 0
    while self:waiting() > 0 and count < batch do
      if count > 0 and (count >= math.floor(self.max / batches_to_max) or bytes >= math.floor(self.max_bytes / batches_to_max)) then
        break
      end
      local data, binary = self:pop()
      count, bytes = count + 1, bytes + #data
      values[count], kinds[count] = decoded(data, binary, undecoded)
    end
    return count, self.full
  end
end
