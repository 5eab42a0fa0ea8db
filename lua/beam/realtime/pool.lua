-- A pool: several connections to one target, used as if they were one. Each request goes to the open connection with the
-- fewest requests that wait, so that handlers work side by side and the loss of a connection costs what was on it only.
-- What is closed for good is replaced (beam/realtime/pool/places.lua).
local driver = require "beam.driver"
local check = require("beam.realtime.request").check_request
local check_close = require("beam.realtime.close").check_close
local errors = require "beam.error"
local mistake = require "beam.base.mistake"
local options_of = require "beam.settings.options"
local places = require "beam.realtime.pool.places"

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
---@field err beam.error? why no connection could be made, or was lost for good, the last time
local Pool = {}
local meta = { __name = "beam.pool", __index = Pool }

function meta.__tostring(self)
  return ("beam.pool of %d connections%s"):format(self.size, self.closed and " (closed)" or "")
end

-- ---- Choosing ----

local function none_open(self)
  local why = self.closed and "the pool is closed" or "none of its connections is open"
  local message = ("a message of a pool was not sent: %s"):format(why)
  return nil, errors.new { kind = "closed", message = message, phase = "none", retryable = not self.closed }
end

-- Waits for an open connection until `deadline`.
local function choose(self, deadline)
  while true do
    self.places:look_after(self.closed)
    local conn = self.places:least_busy()
    if conn then
      return conn
    elseif self.closed then
      return none_open(self)
    elseif self.places:is_hopeless() then
      return nil, self.err
    end
    local left = deadline - driver.now()
    if left <= 0 then
      return none_open(self)
    end
    self.places.changed:wait(math.min(left, look_again))
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

local function send(self, method, message, options)
  local conn, err = choose(self, 0)
  conn = conn or not self.closed and self.places:coming_back()
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
  check_close(code, reason, "pool:close")
  self.closed = true
  self.places.changed:wake_all()
  local closing = {}
  for _, conn in ipairs(self.places:connections()) do
    closing[#closing + 1] = driver.spawn(conn.close, conn, code, reason)
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

--- Counts of its connections, those included that were closed for good: `lost` says how many.
---@return table<string, integer>
function Pool:stats()
  self.places:look_after(self.closed)
  return self.places:stats()
end

-- ---- Opening ----

-- pool(target, options), pool{ target, … } and both as the options of its connections, and the size.
local function gather(target, given)
  local options = options_of.add({}, type(target) == "table" and target or { target }, "beam.pool")
  options_of.add(options, given, "beam.pool")
  local size = options.size == nil and default_size or options.size
  options.size = nil
  if type(size) ~= "number" or size < 1 or size > largest or size % 1 ~= 0 then
    mistake(("beam.pool: size is a whole number from 1 to %d"):format(largest))
  end
  return options, size
end

--- Opens a pool; waits until its first connection is open. The others follow: Beam's default is one connection for each
--- container, and the next ones wait in the handshake until more have started.
---@param settings beam.settings
---@param target string|beam.target|beam.pool_options
---@param options beam.pool_options? those of beam.realtime, and size
---@return beam.pool? pool, beam.error? err
function pool.open(settings, target, options)
  local of_connections, size = gather(target, options)
  local self = setmetatable({ size = size, closed = false }, meta)
  local function note(err)
    self.err = err
  end
  self.places = places.new(settings, of_connections, size, note)
  self.places:look_after(false)
  while not self.places:has_opened() and self.places:is_opening() do
    self.places.changed:wait()
  end
  if self.places:has_opened() then
    return self
  end
  return nil, self.err
end

return pool
