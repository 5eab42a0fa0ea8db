-- What was handed to the socket and may not have arrived. A pong says that the peer has read all that was sent before
-- its ping, so a ping carries the number of the last message before it, and its pong settles all up to that number. So does the
-- answer to a request, for the request's own message.
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

local none = {}

function in_flight.new()
  return setmetatable({ sent = 0, settled = 0, marked = 0, mark_at = in_flight.every, answered = none, ahead = 0 }, InFlight)
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
  return self.sent - self.settled - self.ahead
end

--- A ping is to be sent now.
---@return string? data of the ping; nil: one is under way that covers everything, or everything was answered
function InFlight:mark()
  self.mark_at = self.sent + in_flight.every
  if self.marked == self.sent or self:count() == 0 then
    return nil
  end
  self.marked = self.sent
  return tostring(self.sent)
end

-- Takes out what has numbers up to `last`, in order: how many, and the entries among them. What was answered is out already.
local function take(self, last)
  local entries, count = {}, last - self.settled
  for number = self.settled + 1, last do
    entries[#entries + 1] = self[number]
    self[number] = nil
    if self.answered[number] then
      self.answered[number], self.ahead, count = nil, self.ahead - 1, count - 1
    end
  end
  self.settled = last
  return count, entries
end

-- Takes out one message from among those that are not settled.
local function take_one(self, number)
  local entries = { self[number] }
  if self.answered == none then
    self.answered = {}
  end
  self[number], self.answered[number], self.ahead = nil, true, self.ahead + 1
  return 1, entries
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

--- An answer came to the message with that number.
---@param number integer
---@param and_before boolean it is certain which message it answers: then all before it have been read, too
---@return integer count how many messages it settles
---@return beam.entry[] entries those of them that somebody asks for
function InFlight:answer(number, and_before)
  if number <= self.settled or self.answered[number] then
    return 0, {}
  elseif and_before or number == self.settled + 1 then
    return take(self, number)
  end
  return take_one(self, number)
end

--- An answer came to the message with that number. Whether there is nothing else to be said than that it was the only one in flight, and
--- that nobody asks for it.
---@param number integer
---@return boolean
function InFlight:answer_last(number)
  if number ~= self.sent or number ~= self.settled + 1 or self.ahead > 0 or self[number] then
    return false
  end
  self.settled = number
  return true
end

--- All that is left: it is known what became of it, or it never will be.
---@return integer count, beam.entry[] entries
function InFlight:take_all()
  return take(self, self.sent)
end

return in_flight
