-- The requests of one connection that wait for their answers. There is no id in Beam's messages: the answers come in
-- the order of the requests, so that the next message belongs to the oldest request.
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
---@field data string? the answer
---@field binary boolean?
---@field over boolean? nobody waits any more

function requests.new()
  return setmetatable({ first = 1, last = 0, free = nil, late = 0 }, Requests)
end

--- Takes a place at the end.
---@return beam.request? request nil: there are too many
function Requests:add()
  if self.last - self.first + 1 >= requests.max then
    return nil
  end
  local request = self.free
  if request then
    self.free = request.next_free
  else
    request = { signal = driver.signal(), data = false, binary = false, over = false, next_free = false }
  end
  request.data, request.over = nil, false
  self.last = self.last + 1
  self[self.last] = request
  return request
end

--- Gives back what add gave: it has been answered, or nobody waits any more.
function Requests:done(request)
  request.data = nil
  request.next_free = self.free
  self.free = request
end

--- A message came. Returns false if no request waits for it.
function Requests:answer(data, binary)
  local request = self[self.first]
  if not request then
    return false
  end
  self[self.first] = nil
  self.first = self.first + 1
  if request.over then
    self.late = self.late + 1
    self:done(request)
  else
    request.data, request.binary = data, binary
    request.signal:wake()
  end
  return true
end

--- Takes the last one back: it was not sent.
function Requests:withdraw(request)
  self[self.last] = nil
  self.last = self.last - 1
  self:done(request)
end

--- No answer will come to any of them.
function Requests:fail()
  for i = self.first, self.last do
    self[i].signal:wake()
    self[i] = nil
  end
  self.first, self.last = 1, 0
end

function Requests:count()
  return self.last - self.first + 1
end

return requests
