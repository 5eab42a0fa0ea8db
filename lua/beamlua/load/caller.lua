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

---@class beamlua.load_call its place has the times as well: queued, dns, tcp, tls, wait, body, total
---@field planned number by driver.now(), as are the next two
---@field began number
---@field ended number
---@field number integer
---@field failure table? of beam.core
---@field response beam.response? where there is something to look at
---@field bytes integer
---@field task_id string?

local longest_known = 65536 -- bytes of an answer that is kept, to know it again

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
  prepared.auth, prepared.timeout, prepared.repeats = auth, self.timeout, true
  return { core = prepared, what = request.name(prepared), scheme = auth.scheme }
end

--- Somebody who calls, to be ended by Caller:abandon.
---@param settings beam.settings
---@param given table as beam.call takes it, in one table
---@param timeout number seconds of each call
---@param reads boolean every answer is to be read for somebody
---@return table? caller, beam.error? err
function caller.new(settings, given, timeout, reads)
  local self = setmetatable({ settings = settings, given = given, timeout = timeout, raw = given.raw, reads = reads }, Caller)
  self.places, self.free, self.in_flight = {}, {}, 0
  self.done, self.first, self.last = {}, 1, 0
  self.changed = driver.signal()
  local err
  self.usual, err = prepare(self, given)
  if not self.usual then
    return nil, err
  end
  driver.attach() -- until Caller:abandon
  return self
end

--- From now on what is unremarkable is added up by a counter, and sent once more, by itself.
---@return beam.core.counter
function Caller:count()
  self.counter = require("beam.base.native").core().counter()
  self.counter:know(self.raw == true)
  if self.known then
    self.counter:know(self.known)
  end
  for _, place in ipairs(self.places) do -- those of a warm-up know nothing of it
    if place.http then
      place.http = place.http:free()
    end
  end
  return self.counter
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

-- An answer that is the same as one that was read and found good need not be looked at again.
local function note_answer(self, place, failure, status, text)
  place.failure = failure
  if failure or self.reads or status < 200 or status > 299 or not self.raw and text ~= self.known then
    place.response = place.http:answer()
    place.text = text
  end
end

local function hand_on(self, place)
  place.under_way = false
  self.last = self.last + 1
  self.done[self.last] = place
  self.changed:wake()
end

local function new_place(self)
  local place = { under_way = false }
  self.places[#self.places + 1] = place
  function place.on_event(_, failure, status, text, task_id, queued, dns, tcp, tls, wait, body, total)
    place.ended = driver.now()
    place.queued, place.dns, place.tcp, place.tls = queued, dns, tcp, tls
    place.wait, place.body, place.total = wait, body, total
    place.task_id, place.bytes = task_id, #text
    if self.counter then -- it may have begun by itself
      place.began = place.ended - total
      place.planned = place.began
    end
    note_answer(self, place, failure, status, text)
    hand_on(self, place)
  end
  return place
end

-- Sends the request of this place once more, or a first time. Returns why it could not even begin.
local function send(place, prepared, counter)
  local http = place.http
  if http and place.prepared == prepared and http:again() then
    return nil
  elseif http then
    http:free()
  end
  local made, refused = driver.context():http(prepared.core, place.on_event, counter)
  place.http, place.prepared = made, prepared
  return refused
end

--- Begins one. Nothing of it fails here: what does is among those that are done.
---@param number integer
---@param planned number
---@param now number driver.now()
---@param prepared table? default: the usual request
function Caller:start(number, planned, now, prepared)
  local free = self.free
  local place = free[#free] or new_place(self)
  free[#free] = nil
  place.number, place.planned, place.began = number, planned, now
  self.in_flight = self.in_flight + 1
  place.under_way = true
  local refused = send(place, prepared or self.usual, self.counter)
  if refused then
    place.ended, place.failure, place.bytes, place.total = driver.now(), refused, 0, nil
    hand_on(self, place)
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
  return place
end

--- What it came to, as beam.call says it.
---@param place beamlua.load_call
---@return any value nil on failure, and where nothing is to be looked at
---@return beam.call_info|beam.error|nil info an error on failure; else only if somebody reads
function Caller:read(place)
  local response, prepared = place.response, place.prepared
  if not response and not place.failure then
    return nil, nil
  elseif response and response.headers then
    response.headers = headers.to_table(response.headers)
  end
  local value, err = answer.read(prepared.what, prepared.scheme, self, place.failure, response)
  if err then
    return nil, answer.describe(err, response and response.status and response, 1, place.began)
  end
  if #place.text <= longest_known then
    self.known = place.text
    if self.counter then
      self.counter:know(place.text)
    end
  end
  return value, self.reads and answer.info(response, 1, place.began) or nil
end

--- Whether one is done that nobody has taken.
---@return boolean
function Caller:has_done()
  return self.first <= self.last
end

---@param place beamlua.load_call
function Caller:give_back(place)
  if place.failure then
    place.http = place.http and place.http:free() -- what failed cannot be sent again
  end
  place.response, place.failure, place.text = nil, nil, nil
  self.free[#self.free + 1] = place
end

--- Leaves those alone that are under way, and gives all back.
---@return integer count of them
function Caller:abandon()
  local count = 0
  for _, place in ipairs(self.places) do
    count = count + (place.under_way and 1 or 0)
    if place.http then
      place.http:free()
    end
  end
  self.places, self.free, self.in_flight = {}, {}, 0
  driver.detach()
  return count
end

return caller
