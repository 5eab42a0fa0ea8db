-- What was handed to the socket and may not have arrived. A pong says that the peer has read all that was sent before
-- its ping, so a ping carries the number of the last message before it, and its pong settles all up to that number. So does an answer
-- that can only be that to one request. An answer by order proves nothing: the peer may have said it of its own accord.
--
-- Where nobody asks what became of a message there is no entry, only its number: counting is all that it costs.
local InFlight = {}
InFlight.__index = InFlight
InFlight.__name = "beam.in_flight"

local in_flight = {
  max = 8192, -- messages at once; further ones wait in the queue
  every = 64, -- messages from one ping to the next
  within = 1, -- seconds until the ping after the last message
  unproven = 10, -- seconds that the most may be in flight until the log says so
}

function in_flight.new()
  return setmetatable({ sent = 0, settled = 0, marked = 0, mark_at = in_flight.every }, InFlight)
end

--- A message was handed to the socket.
---@param entry beam.entry? who wants to know what becomes of it
---@return boolean a mark is due
function InFlight:add(entry)
  local sent = self.sent + 1
  self.sent = sent
  if entry then
    self[sent] = entry
  end
  return sent >= self.mark_at
end

function InFlight:count()
  return self.sent - self.settled
end

--- A ping is to be sent now.
---@return string? data of the ping; nil: one is under way that covers everything
function InFlight:mark()
  self.mark_at = self.sent + in_flight.every
  if self.marked == self.sent or self:count() == 0 then
    return nil
  end
  self.marked = self.sent
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

--- An answer came that can only be that to the message with this number: it has been read, and all before it.
---@param number integer
---@return integer count how many messages it settles
---@return beam.entry[] entries those of them that somebody asks for
function InFlight:answer(number)
  if number <= self.settled then
    return 0, {}
  end
  return take(self, number)
end

--- An answer by order came to the message with this number: whoever asked has an answer, whether the message has been read or not.
---@param number integer
function InFlight:answer_by_order(number)
  local entry = self[number]
  if entry then
    entry.answered = true
  end
end

--- All that is left: it is known what became of it, or it never will be.
---@return integer count, beam.entry[] entries
function InFlight:take_all()
  return take(self, self.sent)
end

return in_flight
