-- conn:request: a message and the wait for its answer. Whose answer a message is, beam/realtime/requests.lua decides.
local driver = require "beam.driver"
local errors = require "beam.error"
local observers = require "beam.observe.observers"
local in_flight = require "beam.realtime.queue.in_flight"
local json = require "beam.json"
local mistake = require "beam.base.mistake"
local seconds = require "beam.settings.seconds"

---@class beam.connection
local Requesting = {}

local fit, now, turn_for = seconds.fit, driver.now, driver.turn_for

local known = { timeout = true, key = true, traceparent = true, tracestate = true }
local default_timeout = 60 -- seconds
local late = "an answer that comes later is dropped; if the handler may stay silent, its next answer is too: use send and receive"
local its_turn = "it waited in the queue for its turn: behind what was sent before, and what rate and the peer let go"
local late_keyed = "an answer that comes later is dropped; the handler has to copy '%s' into its answer"

local function too_many(self)
  return nil,
    errors.new {
      kind = "queue_full",
      message = "too many requests wait for answers from " .. self.url,
      phase = self:error_phase(),
      retryable = true,
    }
end

local function check_options(message, options, where)
  errors.check_table(options, where)
  for name in next, options do
    if not known[name] then
      errors.check_options(options, known, where)
    end
  end
  local timeout, key = options.timeout, options.key
  if timeout ~= nil and not fit(timeout, 0) then
    seconds.check(timeout, where .. ": option 'timeout'", 0)
  end
  if key ~= nil and (type(message) ~= "table" or message[key] == nil) then
    mistake(("%s: key = '%s' wants a message with that field"):format(where, tostring(key)))
  end
end

--- Raises for what cannot be asked.
---@param where string "conn:request"
local function check(message, options, where)
  local kind = type(message)
  if kind ~= "table" and kind ~= "string" then
    mistake(("%s wants a table or a string, not a %s"):format(where, kind))
  elseif options then
    check_options(message, options, where)
  end
end

Requesting.check_request = check

-- Nobody waits any more.
local function give_up(self, request, timeout)
  local executed, hint = "unknown", request.key and late_keyed:format(tostring(request.key)) or late
  if request.placed then
    self.requests:expire(request)
  else -- it waits in the queue, and is not sent after its time
    executed, hint = "no", self.state == "open" and its_turn or "the connection was not open in time"
    request.entry.request = nil
    self.requests:done(request)
  end
  return nil, errors.timeout("answer from " .. self.url, timeout, { phase = self:error_phase(), executed = executed, hint = hint })
end

local function wait(self, request, timeout)
  if request.data == nil and not request.err then
    request.signal:wait(math.max(0, request.expires - driver.now()))
  end
  local data, mark, err = request.data, request.mark, request.err
  if data == nil and not err then
    return give_up(self, request, timeout)
  end
  self.requests:done(request)
  if err then
    return nil, err
  end
  local answer, kind = self.decoded(data, mark)
  if kind == "error" then
    return nil, answer
  end
  return answer, nil, kind
end

-- ---- The straight way, of a program that does one thing at a time ----
--
-- All that was sent has been answered, nobody else asks, and the one message that comes is the answer: then nobody needs to be told of
-- it. Whatever else happens meanwhile finds the request in its place, as any other.

local function is_alone(self)
  local attempt, flight = self.attempt, self.flight
  return self.direct
    and flight:count() < in_flight.max
    and self.requests.open == 0
    and attempt.is_ready
    and self.received > attempt.received_before
    and not (attempt.sent_plain or attempt.greeted or self.follows or self.outgoing)
    and self.inbox.keeps
end

-- Returns the request if it was sent.
local function send_alone(self, message, timeout)
  local began, data = now(), message
  if type(message) ~= "string" then
    data = (self.codec or json).encode(message)
  end
  if not data or not self.attempt.ws:send(data, self.max_pending) then
    return nil
  end
  self:went()
  local request = self:own_requests():add_alone(self.flight.sent)
  request.timeout, request.expires = timeout, began + timeout
  return request
end

-- Where others run while it waits: nobody has sent anything since, and nothing was settled.
local function is_still_alone(self, request)
  local flight, requests = self.flight, self.requests
  return requests.open == 1
    and requests[1] == request
    and flight.sent == request.number
    and self.direct
    and not (self.follows or self.outgoing)
    and self.inbox.keeps
end

-- The answer came, and nothing else: so nothing has changed since it was sent.
local function take_alone(self)
  self.requests:finish_alone()
  self.received = self.received + 1
  local answer, kind = self.inbox:take_one()
  return answer, nil, kind
end

local function ask(self, message, options)
  local timeout = options and options.timeout or default_timeout
  if turn_for and is_alone(self) and not (options and options.key ~= nil) then
    local request = send_alone(self, message, timeout)
    if request and turn_for(self.inbox.ring, timeout, request.signal, is_still_alone, self, request) then
      return take_alone(self)
    elseif request then
      return wait(self, request, timeout)
    end
  end
  local request = self:own_requests():take()
  if not request then
    return too_many(self)
  end
  if options and options.key ~= nil then
    request.key, request.value = options.key, message[options.key]
  end
  request.timeout, request.expires = timeout, driver.now() + timeout
  local ok, err = self:dispatch(message, self.waits_for_room and timeout or nil, request)
  if not ok and not request.placed then
    self.requests:done(request)
    return nil, err
  elseif not ok then
    self.requests:expire(request)
    return nil, err
  end
  return wait(self, request, timeout)
end

--- Sends a message and waits for its answer: the next message that no earlier request waits for. Right only where the
--- handler answers every message with exactly one (docs/wire.md section 5). With `key` the answer is the message whose field of
--- that name has the same value as the request's. There is always a deadline; an answer that comes too late is dropped. A
--- connection that is lost meanwhile ends the request, unless it still waits in the queue.
---@param message table|string
---@param options { timeout: number?, key: string?, traceparent: string?, tracestate: string? }? timeout: seconds, default 60; the last
---   two: whose span its own belongs to
---@return any answer nil on failure
---@return beam.error? err
---@return "json"|"text"|"binary"|nil kind
function Requesting:request(message, options)
  check(message, options, "conn:request")
  if self.asked then
    self:check_unasked "conn:request"
  end
  local watch = observers.request
  if watch then
    return watch(ask, self, message, options)
  end
  return ask(self, message, options)
end

return Requesting
