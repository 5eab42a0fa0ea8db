-- What has come over a connection and nobody has read, in three places, oldest first:
--
--   batch   taken out of the ring at once and decoded: to receive is to pick one up. There is none with a codec of the user's
--   queue   handed over one by one (inbox.lua), as transforms want it, what is large, and what a request looked at that it is not for
--   ring    in beam.core: messages are kept there as they come, without a call into Lua
--
-- The ring and the queue are bounded, each as the option `inbox` says.
local json = require "beam.json"
local native = require "beam.base.native"
local inbox = require "beam.realtime.inbox"
local values = require "beam.json.values"

local Arrivals = {
  undecoded = false, -- texts are taken as they came
  values = false, -- of the batch, once there is one
}
Arrivals.__index = Arrivals
Arrivals.__name = "beam.arrivals"

local arrivals = {}

local new_ring, take -- of beam.core

-- A handler may return plain text, so that a text which is no JSON is a message too.
---@param binary boolean?
---@param codec table? that of the client (json/codec.lua); default: beam.json
---@return any message, "json"|"text"|"binary" kind
function arrivals.decode(data, binary, codec)
  if binary then
    return data, "binary"
  end
  local value = (codec or json).decode(data)
  if value == nil then
    return data, "text"
  end
  return value, "json"
end

--- What stands in an inbox or a request: as it came, marked true if it is binary; or a value, marked with its kind.
--- `kind` is "error" for a message that a transform failed on.
---@param codec table?
---@return any message, "json"|"text"|"binary"|"error" kind
function arrivals.decoded(data, mark, codec)
  if type(mark) == "string" then
    return data, mark
  end
  return arrivals.decode(data, mark, codec)
end

local decoded = arrivals.decoded

---@param bounds { max: integer, max_bytes: integer } messages, and their bytes
---@param filters_pings boolean Beam's app pings are counted, and no messages
---@param keeps boolean there is a ring; false: every message is handed over
---@param codec table? that of the client
function arrivals.new(bounds, filters_pings, keeps, codec)
  if not new_ring then
    new_ring, take = native.core().arrivals(values)
  end
  local ring = keeps and new_ring(math.min(math.ceil(bounds.max), 2 ^ 30), math.min(bounds.max_bytes, 2 ^ 52), filters_pings)
  local self = { at = 0, last = 0, queue = inbox.none, ring = ring, keeps = keeps, bounds = bounds, codec = codec or false }
  return setmetatable(self, Arrivals)
end

-- ---- In ----

local function push(self, data, mark, size)
  if self.queue == inbox.none then
    self.queue = inbox.new(self.bounds.max, self.bounds.max_bytes)
  end
  return self.queue:push(data, mark, size)
end

-- What is handed over from now on is newer than what the ring has.
local function drain(self)
  local data, binary = self.ring:pop()
  while data do
    push(self, data, binary)
    data, binary = self.ring:pop()
  end
end

--- Takes out of the ring, as it came, the first of the `news` messages that nobody knows of yet; what is older joins the queue.
---@param news integer
---@return string data, boolean binary
function Arrivals:pop_new(news)
  local ring = self.ring
  for _ = 1, ring:waiting() - news do
    push(self, ring:pop())
  end
  return ring:pop()
end

--- What was taken out so, and is for readers after all.
---@param mark any what `decoded` is told of it
---@param size integer? bytes that it stands for, if it is no string
---@return boolean full nothing more should come for now
function Arrivals:put_back(data, mark, size)
  return push(self, data, mark, size)
end

--- A message that was handed over.
---@param mark any what `decoded` is told of it
---@param size integer? bytes that it stands for, if it is no string
---@return boolean full nothing more should come for now
function Arrivals:push(data, mark, size)
  if self.keeps then
    drain(self)
  end
  return push(self, data, mark, size)
end

--- Every message is handed over from now on, or kept in the ring.
---@param keeps boolean
function Arrivals:keep(keeps)
  if self.ring and self.keeps ~= keeps then
    if self.keeps then
      drain(self)
    end
    self.keeps = keeps
    self.ring:each(not keeps)
  end
end

--- What the ring was given since the last call.
---@return integer messages, integer pings, boolean full
function Arrivals:news()
  if self.ring then
    return self.ring:news()
  end
  return 0, 0, false
end

-- ---- Out ----

local function next_of_batch(self)
  local at = self.at + 1
  local message = self.values[at]
  self.at, self.values[at] = at, nil
  return message, self.kinds[at]
end

-- Those that a codec of the user's decodes are taken one by one.
local function take_batch(self)
  if not self.values then
    self.values, self.kinds = {}, {}
  end
  self.at, self.last = 0, take(self.ring, self.values, self.kinds, self.undecoded)
  if self.last > 0 then
    return next_of_batch(self)
  end
end

--- The next message without waiting; nil: there is none.
---@return any message, "json"|"text"|"binary"|"error"|nil kind
function Arrivals:take()
  if self.at == self.last then
    local data, mark = self.queue:pop()
    if data == nil and self.keeps and not self.codec then
      return take_batch(self)
    elseif data == nil and self.keeps then
      data, mark = self.ring:pop()
    end
    if data == nil then
      return nil
    elseif self.undecoded and type(mark) ~= "string" then
      return data, mark and "binary" or "text"
    end
    return decoded(data, mark, self.codec)
  end
  return next_of_batch(self)
end

local one, kind_of_one = {}, {}

--- The only message in the ring, decoded in any case.
---@return any message, "json"|"text"|"binary" kind
function Arrivals:take_one()
  take(self.ring, one, kind_of_one, self.codec ~= false)
  local message, kind = one[1], kind_of_one[1]
  one[1] = nil
  if self.codec and kind == "text" then
    return arrivals.decode(message, false, self.codec)
  end
  return message, kind
end

-- ---- Figures ----

---@return integer messages, integer bytes without those of the batch
function Arrivals:waiting()
  local messages, bytes = 0, 0
  if self.ring then
    messages, bytes = self.ring:waiting()
  end
  return self.last - self.at + self.queue:count() + messages, self.queue.bytes + bytes
end

---@return integer messages
function Arrivals:count()
  return (self:waiting())
end

---@return boolean nothing more should come for now
function Arrivals:is_full()
  return self.queue.full or self.ring and select(3, self.ring:waiting()) or false
end

return arrivals
