-- What was handed to the socket and may not have arrived. A pong says that the peer has read all that was sent before
-- its ping, so a ping carries the number of the last message before it, and its pong settles all up to that number.
--
-- Where nobody asks what became of a message there is no entry, only its number: counting is all that it costs.
local InFlight = {}
InFlight.__index = InFlight
InFlight.__name = "beam.in_flight"

local in_flight = {
  max = 8192, -- messages at once; further ones wait in the queue
  every = 64, -- messages from one ping to the next
  within = 1, -- seconds until the ping after the last message
}

function in_flight.new()
  return setmetatable({ sent = 0, settled = 0, marked = 0, mark_at = in_flight.every }, InFlight)
end

--- A message was handed to the socket. The caller asks for a mark once `sent` reaches `mark_at`.
---@param entry beam.entry? who wants to know what becomes of it
function InFlight:add(entry)
  local sent = self.sent + 1
  self.sent = sent
  self[sent] = entry
end

function InFlight:count()
  return self.sent - self.settled
end

--- A ping is to be sent now.
---@return string? data of the ping; nil: one is under way that covers everything
function InFlight:mark()
  if self.marked == self.sent then
    return nil
  end
  self.marked = self.sent
  self.mark_at = self.sent + in_flight.every
  return tostring(self.sent)
end

-- Takes out what has numbers up to `last`, in order: how many, and the entries among them.
local function take(self, last)
  local entries, count = {}, last - self.settled
  for number = self.settled + 1, last do
    entries[#entries + 1] = self[number]
    self[number] = nil
  end
  self.settled = last
  return count, entries
end

--- A pong came.
---@param data string
---@return integer count how many messages it settles
---@return beam.entry[] entries those of them that somebody asks for
function InFlight:settle(data)
  local last = data:find "^%d+$" and tonumber(data)
  if not last or last <= self.settled or last > self.marked then
    return 0, {}
  end
  return take(self, last)
end

--- All that is left: it is known what became of it, or it never will be.
---@return integer count, beam.entry[] entries
function InFlight:take_all()
  return take(self, self.sent)
end

return in_flight
