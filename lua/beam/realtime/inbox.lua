-- What has arrived and nobody has read yet: a bounded queue of messages.
--
-- Bounded by asking, not by dropping: push says when it is full, and the sender is then held back down to TCP; pop says
-- when it has room again.
local Inbox = {}
Inbox.__index = Inbox
Inbox.__name = "beam.inbox"

local inbox = {}

---@param max integer messages
---@param max_bytes integer
function inbox.new(max, max_bytes)
  return setmetatable({ max = max, max_bytes = max_bytes, first = 1, last = 0, bytes = 0, marks = {}, sizes = {}, full = false }, Inbox)
end

inbox.none = inbox.new(1, 1) -- of those who have had no message: nothing may be pushed

---@param data any not nil
---@param mark any what pop returns beside it; most messages have none
---@param size integer? bytes that it stands for, if it is no string
---@return boolean full nothing more should come for now
function Inbox:push(data, mark, size)
  local last = self.last + 1
  self.last = last
  self[last] = data
  if mark then
    self.marks[last] = mark
  end
  if size then
    self.sizes[last] = size
  end
  self.bytes = self.bytes + (size or #data)
  self.full = self.full or last - self.first + 1 >= self.max or self.bytes >= self.max_bytes
  return self.full
end

---@return any data nil if there is none
---@return any mark false if there was none
---@return boolean? room it was full, and has room again: half of it
function Inbox:pop()
  local first = self.first
  local data = self[first]
  if data == nil then
    return nil
  end
  local mark, size = self.marks[first] or false, self.sizes[first]
  self[first], self.marks[first], self.sizes[first] = nil, nil, nil
  self.first = first + 1
  self.bytes = self.bytes - (size or #data)
  local room = self.full and self:count() <= self.max / 2 and self.bytes <= self.max_bytes / 2
  if room then
    self.full = false
  end
  return data, mark, room
end

---@return integer messages
function Inbox:count()
  return self.last - self.first + 1
end

return inbox
