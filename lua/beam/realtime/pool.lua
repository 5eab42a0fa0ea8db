-- A pool: several connections to one target, used as if they were one. Each request goes to the open connection with the
-- fewest requests that wait, so that handlers work side by side and the loss of a connection costs what was on it only.
--
-- A connection comes back by itself as its policy says (beam/realtime.lua); the pool replaces those that are closed for
-- good. It looks after them whenever it is used, and has no coroutine that would keep a program from ending.
local driver = require "beam.driver"
local check = require("beam.realtime.request").check_request
local errors = require "beam.error"
local options_of = require "beam.settings.options"
local realtime = require "beam.realtime"
local retry = require "beam.retry"

local pool = {}

local default_size = 4
local largest = 1000 -- connections
local default_timeout = 60 -- seconds for the answer to a request
local look_again = 0.05 -- seconds between two looks whether a connection has come back by itself

---@class beam.pool_options: beam.realtime_options
---@field size integer? connections, default 4

---@class beam.pool
---@field size integer
---@field closed boolean
---@field err beam.error? why no connection could be made
local Pool = {}
local meta = { __name = "beam.pool", __index = Pool }

function meta.__tostring(self)
  return ("beam.pool of %d connections%s"):format(self.size, self.closed and " (closed)" or "")
end

-- ---- Places: each has a connection, or is about to ----

---@class beam.pool_place
---@field conn beam.connection? connecting or open, or closed and not yet noticed
---@field opening boolean
---@field failures integer in a row
---@field again_at number when to open it again; math.huge: never

local backoff = retry.backoff()

-- Tries later. Never, if no connection came to be for a reason that stays.
local function failed(self, place, err, was_open)
  place.conn, place.opening = nil, false
  place.failures = place.failures + 1
  self.err = err
  local retryable = was_open or err.retryable
  place.again_at = retryable and driver.now() + backoff(place.failures, { retryable = true }) or math.huge
end

local function wait_open(self, place)
  if place.conn:wait_open() then
    place.opening = false
  else
    failed(self, place, place.conn.err, false)
  end
  self.changed:wake_all()
end

local function open(self, place)
  place.conn = realtime.start(self.settings, self.options)
  place.opening = true
  driver.background(wait_open, self, place)
end

local function lost(self, place)
  local conn = place.conn
  local figures = conn:stats()
  for name in pairs(self.past) do
    self.past[name] = self.past[name] + figures[name]
  end
  self.lost = self.lost + 1
  if conn.was_ready then
    place.failures = 0
  end
  failed(self, place, conn.err, true)
end

-- Notices what is closed for good, and opens what is due.
local function look_after(self)
  for _, place in ipairs(self.places) do
    if not place.opening then
      if place.conn and place.conn.state == "closed" then
        lost(self, place)
      end
      if not place.conn and not self.closed and driver.now() >= place.again_at then
        open(self, place)
      end
    end
  end
end

-- ---- Choosing ----

-- The open connection with the fewest requests that wait; of several, the one after the last choice.
local function least_busy(self)
  local best, fewest
  for i = 1, self.size do
    local index = (self.last + i - 1) % self.size + 1
    local conn = self.places[index].conn
    if conn and conn.state == "open" then
      local figures = conn:stats()
      local waiting = figures.waiting_requests + figures.queued
      if not best or waiting < fewest then
        best, fewest = index, waiting
      end
    end
  end
  if best then
    self.last = best
    return self.places[best].conn
  end
end

-- Whether a connection may still come to be.
local function hopeless(self)
  for _, place in ipairs(self.places) do
    if place.conn or place.opening or place.again_at < math.huge then
      return false
    end
  end
  return true
end

local function none_open(self)
  local why = self.closed and "the pool is closed" or "none of its connections is open"
  local message = ("a message of a pool was not sent: %s"):format(why)
  return nil, errors.new { kind = "closed", message = message, phase = "none", retryable = not self.closed }
end

-- Waits for an open connection until `deadline`.
local function choose(self, deadline)
  while true do
    look_after(self)
    local conn = least_busy(self)
    if conn then
      return conn
    elseif self.closed then
      return none_open(self)
    elseif hopeless(self) then
      return nil, self.err
    end
    local left = deadline - driver.now()
    if left <= 0 then
      return none_open(self)
    end
    self.changed:wait(math.min(left, look_again))
  end
end

-- ---- Requests and messages ----

local function not_sent(err)
  return err.kind == "closed" and err.executed == "no"
end

--- Sends a message on one of the connections and waits for its answer (conn:request); waits for a connection first, if
--- none is open. What was lost with its connection is an error, and never sent again: its handler may have run.
---@param message table|string
---@param options { timeout: number?, key: string? }? seconds for all of it, default 60
---@return any answer nil on failure
---@return beam.error? err
---@return "json"|"text"|"binary"|nil kind
function Pool:request(message, options)
  check(message, options, "pool:request")
  local given = {}
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  local deadline = driver.now() + (given.timeout or default_timeout)
  local answer, err, kind
  for _ = 1, self.size + 1 do -- one that is lost just now has not sent it: another may
    local conn, none = choose(self, deadline)
    if not conn then
      return nil, none
    end
    given.timeout = math.max(0, deadline - driver.now())
    answer, err, kind = conn:request(message, given)
    if answer ~= nil or not not_sent(err) then
      break
    end
  end
  return answer, err, kind
end

-- One that is not open now and comes back: its queue may take a message.
local function coming_back(self)
  for _, place in ipairs(self.places) do
    if not place.opening and place.conn and place.conn.state ~= "closed" then
      return place.conn
    end
  end
end

local function send(self, method, message, options)
  local conn, err = choose(self, 0)
  conn = conn or not self.closed and coming_back(self)
  if not conn then
    return nil, err
  end
  return conn[method](conn, message, options)
end

--- Sends a message on one of the connections, in turn; waits for none. Messages that come go to `on_message`: without it,
--- a handler that answers fills the inbox, and requests get the answers of what was sent.
---@param message table|string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function Pool:send(message, options)
  return send(self, "send", message, options)
end

--- The same with bytes, as a binary message.
---@param bytes string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function Pool:send_binary(bytes, options)
  return send(self, "send_binary", bytes, options)
end

-- ---- Ending, figures ----

--- Closes all connections, and waits until they are. May be called any number of times.
---@param code integer? default 1000
---@param reason string?
---@return true
function Pool:close(code, reason)
  self.closed = true
  self.changed:wake_all()
  local closing = {}
  for _, place in ipairs(self.places) do
    if place.conn then
      closing[#closing + 1] = driver.spawn(place.conn.close, place.conn, code, reason)
    end
  end
  for _, task in ipairs(closing) do
    local _, err = task:join()
    if err then
      error(err.cause, 0)
    end
  end
  return true
end

meta.__close = function(self)
  self:close()
end

local summed = { "sent", "received", "reconnects", "waiting_requests", "queued" }

--- Counts of its connections, those included that were closed for good: `lost` says how many.
---@return table<string, integer>
function Pool:stats()
  look_after(self)
  local sums = { size = self.size, open = 0, lost = self.lost, waiting_requests = 0, queued = 0 }
  for name, value in pairs(self.past) do
    sums[name] = value
  end
  for _, place in ipairs(self.places) do
    if place.conn then
      local figures = place.conn:stats()
      sums.open = sums.open + (place.conn.state == "open" and 1 or 0)
      for _, name in ipairs(summed) do
        sums[name] = sums[name] + figures[name]
      end
    end
  end
  return sums
end

-- ---- Opening ----

-- pool(target, options), pool{ target, … } and both as the options of its connections, and the size.
local function gather(target, given)
  local options = options_of.add({}, type(target) == "table" and target or { target }, "beam.pool")
  options_of.add(options, given, "beam.pool")
  local size = options.size == nil and default_size or options.size
  options.size = nil
  if type(size) ~= "number" or size < 1 or size > largest or size % 1 ~= 0 then
    error(("beam.pool: size is a whole number from 1 to %d"):format(largest), 0)
  end
  return options, size
end

local function new(settings, options, size)
  local places = {}
  for i = 1, size do
    places[i] = { conn = nil, opening = false, failures = 0, again_at = 0 }
  end
  return setmetatable({
    settings = settings,
    options = options,
    size = size,
    places = places,
    closed = false,
    changed = driver.signal(), -- a place has a connection, or has failed to get one
    last = 0,
    lost = 0, -- connections that were closed for good
    past = { sent = 0, received = 0, reconnects = 0 }, -- what they did
  }, meta)
end

local function any(self, is)
  for _, place in ipairs(self.places) do
    if is(place) then
      return true
    end
  end
  return false
end

local function is_opening(place)
  return place.opening
end

local function has_opened(place)
  return place.conn and not place.opening
end

--- Opens a pool; waits until its first connection is open. The others follow: Beam's default is one connection for each
--- container, and the next ones wait in the handshake until more have started.
---@param settings beam.settings
---@param target string|beam.target|beam.pool_options
---@param options beam.pool_options? those of beam.realtime, and size
---@return beam.pool? pool, beam.error? err
function pool.open(settings, target, options)
  local self = new(settings, gather(target, options))
  look_after(self)
  while not any(self, has_opened) and any(self, is_opening) do
    self.changed:wait()
  end
  if any(self, has_opened) then
    return self
  end
  self.closed = true
  return nil, self.err
end

return pool
