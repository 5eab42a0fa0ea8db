-- Plays the server's part of one recorded connection: accepts or refuses it, sends what was received, when it was, and compares what comes.
local compare = require "beam.record.replay.compare"
local Player = require "beam.record.replay.player"

local Connection = setmetatable({}, { __index = Player })
Connection.__index = Connection

local inbox_limit = 256 -- messages that wait to be compared before reading stops
local high_water = 1024 * 1024 -- bytes that may wait for a slow client
local max_message = 64 * 1024 * 1024

-- ---- Events: they only change state and wake ----

local function on_event(self, event, first, second)
  if event == "message" then
    self.inbox[#self.inbox + 1] = { data = first, binary = second }
    if #self.inbox >= inbox_limit and not self.paused then
      self.paused = true
      self.ws:pause()
    end
  elseif event == "closed" then
    self.over, self.closed, self.code, self.reason = true, true, first, second or ""
    self.driver.detach()
  end
  self.changed:wake_all()
end

-- ---- A server that was dead ----

local from_server = { received = true, ping = true, pong = true }

local patience = 0.1 -- seconds for an answer to a ping that any client has

-- The ping of the client from which on nothing came any more, if the client gave the connection up for that.
local function last_ping(events)
  local ping, given_up
  for _, event in ipairs(events) do
    if from_server[event.event] or event.event == "closed" and not event.error then
      ping = nil
    elseif event.event == "sent_ping" then
      ping = ping or event
    elseif event.event == "abort" or event.event == "close" then
      given_up = given_up or event
    end
  end
  return ping and given_up and given_up.at - ping.at > patience and ping or nil
end

local extra = 1 -- seconds for the client to find it dead, besides what it had taken; its clock is not ours

-- Nothing is read, so that no ping is answered, until the client must have left. Pings go by the client's clock, whatever the speed.
local function be_dead(self, ping)
  local events = self.exchange.events
  local deadline = self.driver.now() + events[#events].at - ping.at + extra
  self.ws:pause()
  while not self.closed and self.driver.now() < deadline do
    self.changed:wait(deadline - self.driver.now())
  end
  if not self.closed then
    self.ws:resume()
  end
end

-- ---- What the client sent ----

local function take(self)
  local message = table.remove(self.inbox, 1)
  if self.paused and message and not self.closed then
    self.paused = false
    self.ws:resume()
  end
  if message then
    message.data = self.replay.secrets:hide(message.data)
  end
  return message
end

local function kind_of(message)
  return message.binary and "a binary message" or "a text message"
end

local function show(message)
  return (message.binary and "a binary message: " or "") .. compare.show(message.data)
end

local play = {}

function play.sent(self, event, previous)
  self.count = self.count + 1
  local part = ("message %d"):format(self.count)
  local message = self:await(function()
    return self.inbox[1] or self.closed
  end, event, previous)
  message = message and take(self)
  if message and (message.binary or false) ~= (event.binary or false) then
    self:differ(("expected %s, got %s: %s"):format(kind_of(event), kind_of(message), compare.show(message.data)), event.line, part)
  elseif message then
    self:compare(part, event, event.data, message.data)
  elseif self.closed then
    self:differ(("expected %s, and the client closed the connection (%d)"):format(show(event), self.code), event.line, part)
  else
    self:differ(("expected %s, and nothing came within %g s"):format(show(event), self.replay.options.patience), event.line, part)
  end
end

-- ---- What the server sends ----

local function wait_for_room(self)
  while not self.closed and (self.ws:pending() or 0) > high_water do
    self.changed:wait()
  end
end

function play.received(self, event, previous)
  self:keep_time(event, previous)
  if not self.closed then
    self.must((event.binary and self.ws.send_binary or self.ws.send)(self.ws, event.data))
    wait_for_room(self)
  end
end

function play.ping(self, event, previous)
  self:keep_time(event, previous)
  if not self.closed then
    self.ws:ping(event.data:sub(1, 125))
  end
end

-- ---- Its end ----

-- What comes now was not in the recording.
local function drain(self)
  while self.inbox[1] do
    local message = take(self)
    self.count = self.count + 1
    self:differ("surplus: " .. show(message), nil, ("message %d"):format(self.count))
  end
end

local function wait_for_close(self, event, previous)
  return self:await(function()
    drain(self)
    return self.closed
  end, event, previous)
end

local function compare_close(self, event)
  self.report.messages = self.report.messages + 1
  local code, reason = event.code or 1005, event.reason or ""
  if self.code ~= code or self.reason ~= reason then
    self:differ(("expected %d %q, got %d %q"):format(code, reason, self.code, self.reason), event.line, "close")
  end
end

-- The client began to close it.
function play.close(self, event, previous)
  self.leaving = true
  if wait_for_close(self, event, previous) then
    compare_close(self, event)
  else
    self:differ(("expected the client to close it (%d), and nothing came"):format(event.code or 1005), event.line, "close")
  end
end

-- The client left without a word, or was heard no more: with what code it goes then is not known.
function play.left(self, event, previous)
  if not self.leaving and not wait_for_close(self, event, previous) then
    self:differ("expected the client to leave, and it stayed", event.line, "close")
  end
  self.leaving = true
end

play.abort = play.left

local lost = { closed = true, connect = true }

-- The server closed it, or the connection was lost; unless the client did, or found a fault in what came.
function play.closed(self, event, previous)
  if self.leaving then
    return
  elseif event.error and not lost[event.error] then
    return play.left(self, event, previous)
  end
  self:keep_time(event, previous)
  if self.closed then
    return self:differ(("the client closed it (%d) before the server did"):format(self.code), event.line, "close")
  end
  local code = event.code ~= 1005 and event.code or nil
  if event.error or not self.ws:close(code, code and event.reason) then
    self.ws:abort()
  end
  wait_for_close(self)
end

-- ---- The handshake ----

local function refuse(self, event, previous)
  self:keep_time(event, previous)
  if not self.over then
    self.must(self.request:respond(event.status, event.headers, event.data))
  end
end

local given_up = { canceled = true, timeout = true }

-- The connection that never opened.
local function end_unopened(self, event, previous)
  if event.status then
    return refuse(self, event, previous)
  elseif event.event == "left" or event.event == "close" or given_up[event.error] then
    self:await(function()
      return self.gone
    end, event, previous)
  else
    self:keep_time(event, previous)
  end
  if not self.over then
    self.request:abort()
  end
end

local function accept(self, event, previous)
  self:keep_time(event, previous)
  if self.over then
    return
  end
  local ws, err = self.request:accept({ max_message = max_message }, function(...)
    on_event(self, ...)
  end)
  if not ws then
    return self:differ("it could not be accepted: " .. err.message, event.line)
  end
  self.driver.attach()
  self.ws = ws
end

local function play_open(self, events, first)
  local ping = last_ping(events)
  for i = first + 1, #events do
    local event = events[i]
    if event == ping then
      be_dead(self, ping)
      play.left(self, ping, ping)
      break
    elseif play[event.event] then
      play[event.event](self, event, events[i - 1])
    end
  end
  drain(self)
  if not self.closed then
    self.ws:abort()
    wait_for_close(self)
  end
end

local ends = { closed = true, left = true, close = true }

--- Plays it to its end.
function Connection:run()
  local events = self.exchange.events
  self.report.connections = self.report.connections + 1
  self.inbox, self.count = {}, 0
  for i = 2, #events do
    local event = events[i]
    if event.event == "open" then
      accept(self, event, events[i - 1])
      if self.ws then
        return play_open(self, events, i)
      end
      return self:differ("the client left before it was open", event.line)
    elseif ends[event.event] then
      return end_unopened(self, event, events[i - 1])
    end
  end
  self.request:abort() -- the recording ends before its end
end

return Connection
