-- Plays the server's part of one recorded HTTP exchange: the same answer, whole or in the same pieces, at the same times.
local Player = require "beam.record.replay.player"

local Request = setmetatable({}, { __index = Player })
Request.__index = Request

local high_water = 1024 * 1024 -- bytes that may wait for a slow client

local play = {}

-- The client gave it up, or its own time was over.
local function wait_until_gone(self, event, previous)
  local gone = self:await(function()
    return self.gone
  end, event, previous)
  if not gone then
    self:differ("expected the client to give it up, and it still waits", event.line)
    self.request:abort()
  end
end

play.abandoned = wait_until_gone

function play.answer(self, event, previous)
  self:keep_time(event, previous)
  if not self.over then
    self.begun = true
    self.must(self.request:stream_begin(event.status, event.headers))
  end
end

-- The core tells when the client leaves, not when it has taken what was written: looked for now and then.
local function wait_for_room(self)
  while not self.over and (self.request:pending() or 0) > high_water do
    self.changed:wait(0.02)
  end
end

function play.piece(self, event, previous)
  self:keep_time(event, previous)
  if not self.over then
    self.request:stream_write(event.data)
    wait_for_room(self)
  end
end

local given_up = { canceled = true, timeout = true }

local function break_off(self, event)
  if event.status and not self.begun then -- some of the answer had come
    self.request:stream_begin(event.status, event.headers)
    self.request:stream_write(event.data or "")
  end
  self.request:abort()
end

function play.done(self, event, previous)
  if given_up[event.error] then
    return wait_until_gone(self, event, previous)
  end
  self:keep_time(event, previous)
  if self.over then
    self:differ("the client left before the answer was complete", event.line)
  elseif event.error then
    break_off(self, event)
  elseif self.begun then
    self.request:stream_end()
  elseif event.status then
    self.must(self.request:respond(event.status, event.headers, event.data))
  else
    self.request:abort()
  end
end

local ends = { done = true, abandoned = true }

--- Plays it to its end.
function Request:run()
  local events = self.exchange.events
  self.report.requests = self.report.requests + 1
  for i = 2, #events do
    local event = events[i]
    if play[event.event] then
      play[event.event](self, event, events[i - 1])
    end
  end
  if not ends[events[#events].event] and not self.over then
    self.request:abort() -- the recording ends before its end
  end
end

return Request
