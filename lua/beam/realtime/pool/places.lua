-- The places of a pool (beam/realtime/pool.lua): each has a connection, or is about to.
--
-- A connection comes back by itself as its policy says (beam/realtime.lua); here those are replaced that are closed for
-- good, whenever a place is looked after: no coroutine does it that would keep a program from ending.
local driver = require "beam.driver"
local realtime = require "beam.realtime"
local retry = require "beam.retry"

local places = {}

---@class beam.pool_place
---@field conn beam.connection? connecting or open, or closed and not yet noticed
---@field opening boolean
---@field failures integer in a row
---@field again_at number when to open it again; math.huge: never

---@class beam.pool_places
---@field [integer] beam.pool_place
---@field changed beam.signal a place has a connection, or has failed to get one
local Places = {}
local meta = { __index = Places }

---@param settings beam.settings
---@param options beam.realtime_options
---@param size integer
---@param on_failure fun(err: beam.error) no connection could be made, or it was closed for good
---@return beam.pool_places
function places.new(settings, options, size, on_failure)
  local self = {
    settings = settings,
    options = options,
    on_failure = on_failure,
    changed = driver.signal(),
    last = 0, -- chosen
    lost = 0, -- connections that were closed for good
    past = { sent = 0, received = 0, reconnects = 0 }, -- what they did
  }
  for i = 1, size do
    self[i] = { conn = nil, opening = false, failures = 0, again_at = 0 }
  end
  return setmetatable(self, meta)
end

-- ---- Opening and losing ----

local backoff = retry.backoff()

-- Tries later. Never, if no connection came to be for a reason that stays.
local function failed(self, place, err, was_open)
  place.conn, place.opening = nil, false
  place.failures = place.failures + 1
  self.on_failure(err)
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

--- Notices what is closed for good, and opens what is due.
---@param closed boolean nothing is opened any more
function Places:look_after(closed)
  for _, place in ipairs(self) do
    if not place.opening then
      if place.conn and place.conn.state == "closed" then
        lost(self, place)
      end
      if not place.conn and not closed and driver.now() >= place.again_at then
        open(self, place)
      end
    end
  end
end

-- ---- What they are like now ----

--- The open connection with the fewest requests that wait; of several, the one after the last choice.
---@return beam.connection?
function Places:least_busy()
  local best, fewest
  for i = 1, #self do
    local index = (self.last + i - 1) % #self + 1
    local conn = self[index].conn
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
    return self[best].conn
  end
end

--- One that is not open now and comes back: its queue may take a message.
---@return beam.connection?
function Places:coming_back()
  for _, place in ipairs(self) do
    if not place.opening and place.conn and place.conn.state ~= "closed" then
      return place.conn
    end
  end
end

local function any(self, is)
  for _, place in ipairs(self) do
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
  return place.conn ~= nil and not place.opening
end

local function may_open(place)
  return place.conn ~= nil or place.opening or place.again_at < math.huge
end

--- A connection is about to be, for the first time or again.
---@return boolean
function Places:is_opening()
  return any(self, is_opening)
end

--- A connection has been open.
---@return boolean
function Places:has_opened()
  return any(self, has_opened)
end

--- No connection can come to be any more.
---@return boolean
function Places:is_hopeless()
  return not any(self, may_open)
end

--- All connections there are.
---@return beam.connection[]
function Places:connections()
  local all = {}
  for _, place in ipairs(self) do
    all[#all + 1] = place.conn
  end
  return all
end

local summed = { "sent", "received", "reconnects", "waiting_requests", "queued" }

--- Counts of the connections, those included that were closed for good: `lost` says how many.
---@return table<string, integer>
function Places:stats()
  local sums = { size = #self, open = 0, lost = self.lost, waiting_requests = 0, queued = 0 }
  for name, value in pairs(self.past) do
    sums[name] = value
  end
  for _, conn in ipairs(self:connections()) do
    local figures = conn:stats()
    sums.open = sums.open + (conn.state == "open" and 1 or 0)
    for _, name in ipairs(summed) do
      sums[name] = sums[name] + figures[name]
    end
  end
  return sums
end

return places
