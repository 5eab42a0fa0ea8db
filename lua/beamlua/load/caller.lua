-- Calls without what beam.call does about them: each is one attempt, nothing waits for it, and what became of it is in a list until
-- somebody takes it. Places for calls that are over are used again.
local answer = require "beam.http.answer"
local driver = require "beam.driver"
local headers = require "beam.settings.headers"
local options_of = require "beam.settings.options"
local request = require "beam.http.request"

local Caller = {}
Caller.__index = Caller

local caller = {}

---@class beamlua.load_call
---@field planned number by driver.now(), as are the next two
---@field began number
---@field ended number
---@field number integer
---@field failure table? of beam.core
---@field response beam.response?

-- ---- What is sent ----

-- A request as the core wants it, and what an error calls it.
local function prepare(self, given)
  local gathered = request.gather("beam.call", request.known(), given)
  local prepared, target = request.prepare(self.settings, gathered, "beam.call", "endpoint")
  if not prepared then
    return nil, target
  end
  local auth, err = options_of.credentials(self.settings, target, self.timeout)
  if not auth then
    return nil, err
  end
  prepared.auth, prepared.timeout = auth, self.timeout
  return { core = prepared, what = request.name(prepared), scheme = auth.scheme }
end

--- Somebody who calls.
---@param settings beam.settings
---@param given table as beam.call takes it, in one table
---@param timeout number seconds of each call
---@return table? caller, beam.error? err
function caller.new(settings, given, timeout)
  local self = setmetatable({ settings = settings, given = given, timeout = timeout, raw = given.raw }, Caller)
  self.free, self.open, self.in_flight = {}, {}, 0
  self.done, self.first, self.last = {}, 1, 0
  self.changed = driver.signal()
  local err
  self.usual, err = prepare(self, given)
  return self.usual and self, err
end

--- A request that differs from the usual one: with an input, a path, headers, a method of its own.
---@param differing table
---@return table? prepared, beam.error? err
function Caller:other(differing)
  local given = {}
  for _, from in ipairs { self.given, differing } do
    for name, value in pairs(from) do
      given[name] = value
    end
  end
  return prepare(self, given)
end

-- ---- Calling ----

local function new_place(self)
  local place = { response = nil, failure = nil }
  function place.on_event(_, failure, response)
    place.ended = driver.now()
    place.failure, place.response, place.http = failure, response, nil
    self.open[place] = nil
    self.last = self.last + 1
    self.done[self.last] = place
    driver.detach()
    self.changed:wake()
  end
  return place
end

--- Begins one. Nothing of it fails here: what does is among those that are done.
---@param number integer
---@param planned number
---@param prepared table? default: the usual request
function Caller:start(number, planned, prepared)
  prepared = prepared or self.usual
  local place = table.remove(self.free) or new_place(self)
  place.number, place.planned, place.prepared, place.began = number, planned, prepared, driver.now()
  self.in_flight = self.in_flight + 1
  self.open[place] = true
  driver.attach()
  local http, refused = driver.context():http(prepared.core, place.on_event)
  if http then
    place.http = http
  else
    place.on_event("done", refused, nil)
  end
end

local function task_id_of(response)
  for _, pair in ipairs(response and response.headers or {}) do
    if pair[1] == "x-task-id" then
      return pair[2]
    end
  end
end

--- Takes one that is done; nil: there is none. It is given back by Caller:give_back.
---@return beamlua.load_call?
function Caller:take()
  local place = self.done[self.first]
  if not place then
    return nil
  end
  self.done[self.first] = nil
  self.first = self.first + 1
  self.in_flight = self.in_flight - 1
  local response = place.response
  place.task_id, place.times = task_id_of(response), response and response.times
  place.bytes = response and response.body and #response.body or 0
  return place
end

--- What it came to, as beam.call says it.
---@param place beamlua.load_call
---@return any value nil on failure
---@return beam.call_info|beam.error|nil info of a success only if it is wanted
function Caller:read(place, wanted)
  local response, prepared = place.response, place.prepared
  if response then
    response.headers = headers.to_table(response.headers)
  end
  local value, err = answer.read(prepared.what, prepared.scheme, self, place.failure, response)
  if err then
    return nil, answer.describe(err, response and response.status and response, 1, place.began)
  end
  return value, wanted and answer.info(response, 1, place.began) or nil
end

--- Whether one is done that nobody has taken.
---@return boolean
function Caller:has_done()
  return self.first <= self.last
end

---@param place beamlua.load_call
function Caller:give_back(place)
  place.response, place.failure, place.times = nil, nil, nil
  self.free[#self.free + 1] = place
end

--- Leaves those alone that are under way.
---@return integer count of them
function Caller:abandon()
  local count, place = 0, next(self.open)
  while place do
    self.open[place] = nil
    place.http:free()
    driver.detach()
    count, self.in_flight = count + 1, self.in_flight - 1
    place = next(self.open)
  end
  return count
end

return caller
