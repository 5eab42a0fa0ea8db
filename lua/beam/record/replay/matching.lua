-- Which exchange of a recording a request is, of those that are to be played (request matching).
--
-- A program that does several things at once does not always do them in the same order. So a request may be any exchange that has not been
-- played, unless another one that had ended before it began is still to come.
local matching = {}

---@class beam.replay.matching
local Matching = {}
Matching.__index = Matching

-- The client had not reached Beam: there is nothing to play.
local unreached = { dns = true, connect = true, tls = true, auth = true, invalid = true }

---@class beam.replay.exchange
---@field kind "connection"|"request"
---@field number integer
---@field name string "connection 1"
---@field events table[] of the recording, the one that begins it first
---@field begins integer the places of its first and last event among all
---@field ends integer
---@field gap number seconds between its beginning and what came before it
---@field taken true? it has come

local function reached(exchange)
  local last = exchange.events[#exchange.events]
  return not (unreached[last.error] and not last.status)
end

local function begin(event, kind, place, previous)
  return {
    kind = kind,
    number = event[kind],
    name = ("%s %d"):format(kind, event[kind]),
    events = {},
    begins = place,
    ends = math.huge,
    gap = event.at - (previous and previous.at or event.at),
  }
end

local last_of = { closed = true, left = true, done = true, abandoned = true }

--- The exchanges of a recording, in the order of their beginnings.
---@param recording beam.recording
---@return beam.replay.matching
---@return beam.replay.exchange[] skipped those that never reached Beam
function matching.new(recording)
  local all, open = {}, { connection = {}, request = {} }
  for place, event in ipairs(recording.events) do
    local kind = event.connection and "connection" or event.request and "request"
    if event.event == "connect" or event.event == "request" then
      local exchange = begin(event, kind, place, recording.events[place - 1])
      open[kind][exchange.number] = exchange
      all[#all + 1] = exchange
    end
    local exchange = kind and open[kind][event[kind]]
    if exchange then
      table.insert(exchange.events, event)
      exchange.ends = last_of[event.event] and place or exchange.ends
    end
  end
  local waiting, skipped = {}, {}
  for _, exchange in ipairs(all) do
    table.insert(reached(exchange) and waiting or skipped, exchange)
  end
  return setmetatable({ all = waiting, first = 1 }, Matching), skipped
end

--- The exchanges that may come now, in order.
---@return beam.replay.exchange[]
function Matching:candidates()
  local list, first_end = {}, math.huge
  for place = self.first, #self.all do
    local exchange = self.all[place]
    if exchange.begins > first_end then
      break -- and so do all that follow
    elseif not exchange.taken then
      list[#list + 1] = exchange
      first_end = math.min(first_end, exchange.ends)
    end
  end
  return list
end

--- Those that have not come.
---@return beam.replay.exchange[]
function Matching:missing()
  local list = {}
  for place = self.first, #self.all do
    if not self.all[place].taken then
      list[#list + 1] = self.all[place]
    end
  end
  return list
end

local function take(self, exchange)
  exchange.taken = true
  while self.all[self.first] and self.all[self.first].taken do
    self.first = self.first + 1
  end
  return exchange
end

--- Takes the exchange that a request is: the first candidate that is the same, else the one that is most like it.
---@param kind "connection"|"request"
---@param difference fun(exchange: beam.replay.exchange): string?, integer what differs, and how alike they are
---@return beam.replay.exchange? nil: none is to come
---@return string? what differs
function Matching:take(kind, difference)
  local best, what, most
  for _, exchange in ipairs(self:candidates()) do
    if exchange.kind == kind then
      local found, alike = difference(exchange)
      if not found then
        return take(self, exchange)
      elseif not best or alike > most then
        best, what, most = exchange, found, alike
      end
    end
  end
  return best and take(self, best), what
end

return matching
