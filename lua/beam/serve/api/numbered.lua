-- A journal: numbered records, the oldest of which are forgotten, and those who wait for more. The local Beam has one for what handlers log
-- and one for what happens (docs/wire.md section 7).
local driver = require "beam.driver"

local journal = {}

local most_records, most_bytes = 200000, 64 * 1024 * 1024

---@class beam.serve.journal
---@field changed beam.signal woken when there is more
---@field first integer the number of the oldest record that is kept
---@field next integer the number that the next one will have
local Journal = { __name = "beam.serve.journal" }
Journal.__index = Journal

---@return beam.serve.journal
function journal.new()
  return setmetatable({ records = {}, first = 0, next = 0, bytes = 0, changed = driver.signal() }, Journal)
end

local function forget_oldest(self)
  local record = self.records[self.first]
  self.records[self.first] = nil
  self.first, self.bytes = self.first + 1, self.bytes - record.size
end

--- Adds a record.
---@param record table gets a seq_num
---@param size integer bytes of it, about
function Journal:add(record, size)
  record.seq_num, record.size = self.next, size
  self.records[self.next] = record
  self.next, self.bytes = self.next + 1, self.bytes + size
  while self.next - self.first > most_records or self.bytes > most_bytes do
    forget_oldest(self)
  end
  self.changed:wake_all()
end

--- The record of that number.
---@param number integer
---@return table?
function Journal:get(number)
  return self.records[number]
end

--- The number of the first record from that time on.
---@param seconds number since 1970
---@return integer
function Journal:since(seconds)
  local low, high = self.first, self.next
  while low < high do
    local middle = math.floor((low + high) / 2)
    if self.records[middle].at < seconds then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

return journal
