-- The requests of one connection that wait for their answers.
--
-- Beam's messages have no id: the answers come in the order of the requests, so that the next message belongs to the
-- oldest request. A handler that copies an id into its answer can be asked by key: the answer is then the message whose
-- field has the same value, whenever it comes.
--
-- A request whose time is over keeps its place: its late answer is dropped, and not taken for the answer to the next
-- one.
local driver = require "beam.driver"

local Requests = {}
Requests.__index = Requests
Requests.__name = "beam.requests"

local requests = { max = 1024 } -- at once; those whose time is over and whose answer has not come count

---@class beam.request
---@field signal beam.signal woken when it is answered, or never will be
---@field timeout number seconds that its asker waits
---@field number integer of its message among those in flight
---@field data any the answer, as inbox.lua keeps it
---@field mark any
---@field err beam.error? no answer will come
---@field over boolean nobody waits any more
---@field placed boolean it was sent
---@field key any field and value to know the answer by
---@field value any

function requests.new()
  local self = { first = 1, last = 0, free = nil, late = 0, open = 0, keyed = nil, keyed_count = 0, dead = {} }
  self.alone = false -- one that waits to be used again by add_alone
  return setmetatable(self, Requests)
end

requests.none = requests.new() -- of those who have asked nothing: nothing may be added

-- Those asked by key that nobody waits for any more, though their time is not over: the coroutine was ended from outside, as
-- OpenResty does when a client goes.
local function drop_abandoned(self)
  local abandoned = {}
  for _, waiting in pairs(self.keyed or {}) do
    for _, request in pairs(waiting) do
      if not request.over and not request.signal:is_awaited() then
        abandoned[#abandoned + 1] = request
      end
    end
  end
  for _, request in ipairs(abandoned) do
    self:expire(request)
  end
end

local function take(self)
  self.open = self.open + 1
  local request = self.free
  if request then
    self.free = request.next_free
  else
    request = { signal = driver.signal() }
  end
  request.data, request.err, request.over, request.placed = nil, nil, false, false
  request.key, request.value, request.entry, request.ended = nil, nil, nil, false
  return request
end

--- A request that is to be sent. Gets its place by `add`, or is given back by `done`.
---@return beam.request? request nil: there are too many
function Requests:take()
  if self.open >= requests.max then
    drop_abandoned(self)
    if self.open >= requests.max then
      return nil
    end
  end
  return take(self)
end

--- Nobody will look at it any more.
function Requests:done(request)
  self:close(request)
  request.data, request.entry = nil, nil
  if request.key == nil then -- one with a key may still stand in `dead`
    request.next_free = self.free
    self.free = request
  end
end

--- It does not count any more: its answer has come, or never will.
function Requests:close(request)
  if not request.ended then
    request.ended = true
    self.open = self.open - 1
  end
end

-- ---- Places ----

local function add_keyed(self, request)
  self.keyed = self.keyed or {}
  local waiting = self.keyed[request.key] or {}
  self.keyed[request.key] = waiting
  if waiting[request.value] then -- the older one has no claim to the answer any more; it waits out its time
    self:close(waiting[request.value])
    self.keyed_count = self.keyed_count - 1
  end
  waiting[request.value] = request
  self.keyed_count = self.keyed_count + 1
end

local function remove_keyed(self, request)
  local waiting = self.keyed and self.keyed[request.key]
  if waiting and waiting[request.value] == request then
    waiting[request.value] = nil
    self.keyed_count = self.keyed_count - 1
    if next(waiting) == nil then
      self.keyed[request.key] = nil
    end
    if self.keyed_count == 0 then
      self.keyed = nil
    end
  end
end

--- It was sent, as message `number` of those in flight: it takes a place at the end, or under its key.
function Requests:add(request, number)
  request.placed, request.number = true, number
  if request.key ~= nil then
    return add_keyed(self, request)
  end
  self.last = self.last + 1
  self[self.last] = request
end

--- A place whose answer nobody wants: a message that was sent again, after its request had failed. However many there are, for without
--- it the next request would be given that answer.
function Requests:add_nobody(number, key, value)
  local request = take(self)
  request.over, request.key, request.value = true, key, value
  self:add(request, number)
end

-- ---- Ends ----

local function give(self, request, data, mark)
  if request.over then
    self.late = self.late + 1
    self:done(request)
    return
  end
  self:close(request)
  request.data, request.mark = data, mark
  request.signal:wake()
end

--- The only request, there is no other: it takes its place, as if taken and added.
---@param number integer
---@return beam.request
function Requests:add_alone(number)
  local request = self.alone
  if not request then
    request = self:take()
    request.placed = true
  end
  request.number = number
  self.open, self.first, self.last, self.alone = 1, 1, 1, false
  self[1] = request
  return request
end

--- Its answer came, and nothing else since it was added: it is over, and is the next one, too.
function Requests:finish_alone()
  local request = self[1]
  self[1] = nil
  self.open, self.first, self.last, self.alone = 0, 1, 0, request
end

--- A message came. Returns the number of the message that it answers, or nil if no request waits for it.
---@return integer? number
function Requests:answer(data, mark)
  local request = self[self.first]
  if not request then
    return nil
  end
  self[self.first] = nil
  self.first = self.first + 1
  give(self, request, data, mark)
  return request.number
end

--- A decoded message came. The same, for those that wait by a key.
---@return integer? number
function Requests:answer_keyed(message, kind)
  if type(message) ~= "table" then
    return nil
  end
  for key, waiting in pairs(self.keyed) do
    local value = message[key]
    local request = value ~= nil and waiting[value]
    if request then
      remove_keyed(self, request)
      give(self, request, message, kind)
      return request.number
    end
  end
end

--- Its time is over. The places of those asked by key are bounded by leaving the oldest, as a key is not asked for
--- again.
function Requests:expire(request)
  request.over = true
  if request.key == nil then
    return
  end
  local dead = self.dead
  dead[#dead + 1] = request
  if #dead > requests.max / 2 then
    local oldest = table.remove(dead, 1)
    remove_keyed(self, oldest)
    self:close(oldest)
  end
end

local function give_up(self, request, err)
  request.err = err
  self:close(request)
  request.signal:wake()
end

--- No answer will come to any of those that were sent.
---@param err beam.error?
function Requests:fail(err)
  if self == requests.none then
    return
  end
  for i = self.first, self.last do
    local request = self[i]
    self[i] = nil
    give_up(self, request, err)
  end
  for _, waiting in pairs(self.keyed or {}) do
    for _, request in pairs(waiting) do
      give_up(self, request, err)
    end
  end
  self.first, self.last, self.keyed, self.keyed_count, self.dead = 1, 0, nil, 0, {}
end

local function waits_longest(waiting, longest)
  for _, request in pairs(waiting) do
    longest = not request.over and math.max(longest or 0, request.timeout) or longest
  end
  return longest
end

--- The longest time-out of those that somebody waits for; 0 if only late answers are to come, nil if none is.
---@return number? seconds
function Requests:longest_timeout()
  local longest
  for i = self.first, self.last do
    longest = not self[i].over and math.max(longest or 0, self[i].timeout) or longest
  end
  for _, waiting in pairs(self.keyed or {}) do
    longest = waits_longest(waiting, longest)
  end
  return longest or self:count() > 0 and 0 or nil
end

--- Whether a message that comes may be the answer to one.
---@return boolean
function Requests:are_waiting()
  return self.first <= self.last or self.keyed_count > 0
end

--- How many have a place.
function Requests:count()
  return self.last - self.first + 1 + self.keyed_count
end

return requests
