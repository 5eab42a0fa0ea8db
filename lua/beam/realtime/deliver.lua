-- From the socket to whoever wants it: what becomes of a message that came. The methods here are those of beam/realtime/connection.lua's
-- connections.
--
--   frame -> inbox (arrivals.lua) -> receive(), messages() (receive.lua) or the message handlers
--
-- While a request waits, each message is looked at when it is heard of: it may be the answer. With `incoming` transforms there is a raw
-- inbox before all that, and a coroutine that takes one message after the other through the transforms. Whichever inbox is first holds
-- the sender back when it is full.
local arrivals = require "beam.realtime.arrivals"
local driver = require "beam.driver"
local log = require "beam.log"

---@class beam.connection
local Delivery = {}

Delivery.decoded = arrivals.decoded

--- The same by the codec of a client (json/codec.lua).
---@param codec table
---@return fun(data: any, mark: any): any, string
function Delivery.decoder(codec)
  return function(data, mark)
    return arrivals.decoded(data, mark, codec)
  end
end

-- ---- Holding the sender back ----

local function pause(self)
  if self.state == "open" and not self.paused then
    self.paused = true
    self.attempt.ws:pause()
    self.attempt.liveness:pause(true, driver.now())
  end
end

local function resume(self)
  if self.paused then
    self.paused = false
    self.attempt.ws:resume()
    self.attempt.liveness:pause(false, driver.now())
  end
end

-- Whether the inbox that is first has no room.
local function is_full(self)
  if self.raw then
    return self.raw.full
  end
  return self.inbox:is_full()
end

--- A new attempt is open: nobody has room for its messages yet.
function Delivery:pause_if_full()
  self.paused = false
  if is_full(self) then
    pause(self)
  end
end

--- Something was taken: there may be room again, for the transforms or for what the peer sends.
function Delivery:resume_if_room()
  if self.raw then
    if not self.inbox:is_full() then
      self:start_transforming()
    end
  elseif self.paused and not self.inbox:is_full() then
    resume(self)
  end
end

-- While a connection closes nobody is held back: the peer's close frame comes behind what it still sends. What there is no room for is
-- dropped then, and all that follows it, so that what is read has no gap.
local function is_dropped(self)
  local attempt = self.state == "closing" and self.attempt
  if not attempt or not (attempt.dropped > 0 or is_full(self)) then
    return false
  end
  attempt.dropped = attempt.dropped + 1
  return true
end

--- The attempt is over: what was dropped because there was no room is told.
function Delivery:tell_dropped()
  local count = self.attempt and self.attempt.dropped or 0
  if count > 0 then
    log.write("warning", ("%s: %d of the messages that came while it closed were dropped, as the inbox was full"):format(self.url, count))
  end
end

-- ---- Delivering ----

-- Whether what came now can only be the answer to message `number` of those in flight: on this attempt nothing else was sent than what is
-- answered, one by one. The first to come may be a greeting on its way when we asked: then the peer's system has not confirmed our
-- question, and no count is right on this attempt.
local function answers(self, number)
  local attempt = self.attempt
  if not attempt or attempt.greeted or attempt.sent_plain then
    return false
  elseif self.received - attempt.received_before == 1 and self.flight.sent == number and self.state == "open" then
    local _, _, unacknowledged = attempt.ws:progress()
    attempt.greeted = unacknowledged > 0
  end
  return not attempt.greeted
end

-- Gives a message to the request that waits for it. Returns whether there is one; if not, the message as it is known by now.
local function is_answer(self, data, mark, size)
  local requests = self.requests
  if requests.keyed then
    size = size or #data
    data, mark = self.decoded(data, mark)
    local number = requests:answer_keyed(data, mark)
    if number then
      self:answered(number)
      return true
    end
  end
  local number = requests:answer(data, mark)
  if number then
    if answers(self, number) then
      self.flight:answer_by_order(number)
    end
    return true
  end
  return false, data, mark, size
end

local function deliver(self, ...)
  local answered, data, mark, size = is_answer(self, ...)
  if answered or not self.raw and is_dropped(self) then
    return
  elseif self.inbox:push(data, mark, size) and not self.raw then
    pause(self)
  end
  self.arrived:wake()
  if self.handlers then
    self.handlers:arrived()
  end
end

local function deliver_results(self, kind, size, ok, ...)
  if not ok then
    return deliver(self, (...), "error", size)
  end
  for i = 1, select("#", ...) do
    deliver(self, (select(i, ...)), kind, size)
  end
end

local function transform_all(self)
  while not self.inbox:is_full() or self.state == "closed" do -- at the end there is no more to be held back
    local data, binary, room = self.raw:pop()
    if data == nil then
      break
    elseif room then
      resume(self)
    end
    local message, kind = self.decoded(data, binary)
    deliver_results(self, kind, #data, self.incoming(message, self))
    driver.give_way()
  end
  self.transforming = false
  if self.state == "closed" and self.raw:count() == 0 then
    self:no_more_messages()
  end
end

function Delivery:start_transforming()
  if self.transforming or self.raw:count() == 0 then
    return
  end
  self.transforming = true
  driver.ref()
  self.transform = self.transform or driver.attendant(function()
    transform_all(self)
    driver.unref()
  end)
  self.transform()
end

--- A message came that is no app ping.
function Delivery:arrive(data, binary)
  self.received = self.received + 1
  if not self.raw then
    return deliver(self, data, binary)
  elseif is_dropped(self) then
    return
  end
  if self.raw:push(data, binary) then
    pause(self)
  end
  self:start_transforming()
end

-- Of the messages that were kept and nobody knows of yet, gives to the requests that wait what is theirs. Returns how many are left for
-- readers. What they make room for is sent when all are given: none of these answers what goes out now.
local function answer_requests(self, news)
  local inbox, requests, others = self.inbox, self.requests, 0
  self.hearing = true
  while news > 0 and requests:are_waiting() do
    local data, mark = inbox:pop_new(news)
    news, self.received = news - 1, self.received + 1
    local answered, size
    answered, data, mark, size = is_answer(self, data, mark)
    if not answered then
      inbox:put_back(data, mark, size)
      others = others + 1
    end
  end
  self.hearing = false
  self.received = self.received + news
  if self.outbox:count() > 0 then
    self:pump()
  end
  return others + news
end

-- The core pauses by itself what fills the ring. Requests may have emptied it since.
local function hold_back_if_full(self)
  if self.inbox:is_full() then
    pause(self)
  elseif self.state == "open" and not self.paused then
    self.attempt.ws:resume()
  end
end

--- Messages came that are kept, and app pings.
function Delivery:hear()
  local messages, pings, full = self.inbox:news()
  local others = messages
  if messages > 0 and self.requests:are_waiting() then
    others = answer_requests(self, messages)
    full = full or self.inbox.queue.full
  else
    self.received = self.received + messages
  end
  for _ = 1, others do
    if not self.arrived:wake() then
      break
    end
  end
  if self.handlers and others > 0 then
    self.handlers:arrived()
  end
  if full then
    hold_back_if_full(self)
  end
  return messages, pings
end

return Delivery
