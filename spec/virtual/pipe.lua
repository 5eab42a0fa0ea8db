-- One direction of a TCP connection: items (frames, and at last `fin` or `reset`) arrive in order, after the world's
-- latency. What the system takes is `window` bytes; what is beyond it is pending at the sender. A reader that is paused
-- leaves everything where it is.
local Pipe = {}
Pipe.__index = Pipe

local pipe = {}

---@param context table where events are dispatched
---@param window integer bytes
function pipe.new(context, window)
  return setmetatable({ context = context, window = window, first = 1, last = 0, bytes = 0, total = 0, delivered = 0, ready_at = 0, ended = false }, Pipe)
end

-- Gives the reader what is there, as far as it reads.
local function read(self)
  while self.first <= self.last and not self.silent do
    local item, reader = self[self.first], self.reader
    if item.due > self.context.clock.tick or item.step >= self.context.steps then
      return self:schedule(item)
    elseif not self.left and not (reader and reader:reads(item)) then
      return
    end
    self:take(item)
    if reader then
      reader:arrived(item)
    end
  end
end

function Pipe:schedule(item)
  if not self.waiting then
    self.waiting = self.context:later(self.context.clock:until_tick(item.due), function()
      self.waiting = nil
      read(self)
    end)
  end
end

function Pipe:take(item)
  self[self.first] = nil
  self.first = self.first + 1
  local was = self:pending()
  self.bytes = self.bytes - item.size
  self.delivered = self.delivered + item.size
  if was > 0 and self:pending() == 0 and self.drained then
    self.context:defer(self.drained)
  end
end

-- What follows the first write of a turn joins, and goes when the loop turns (core/carrier/output.c).
function Pipe:join(item)
  local steps = self.context.steps
  if self.written_in ~= steps then
    self.written_in = steps
    return
  end
  item.step = steps + 1
  if not self.joined then
    self.joined = true
    self.context:defer(function()
      self.joined = false
      if self.drained and self:pending() == 0 then
        self.drained()
      end
    end)
  end
end

---@param item table { kind = , data = }
function Pipe:put(item)
  if self.ended then
    return
  end
  self.ended = item.kind == "fin" or item.kind == "reset"
  item.step = self.context.steps -- it arrives in the next one at the earliest
  if not self.ended then
    self:join(item)
  end
  item.size = #(item.data or "") + 6
  item.at = self.context.clock:now()
  item.due = math.max(self.context.clock:at(self.context.world.latency), self.ready_at)
  self.last = self.last + 1
  self[self.last] = item
  self.bytes, self.total = self.bytes + item.size, self.total + item.size
  if self.first == self.last then
    self:schedule(item)
  end
end

--- The reader reads again.
function Pipe:go_on()
  self.context:defer(function()
    read(self)
  end)
end

---@return integer bytes beyond the window
function Pipe:pending()
  return math.max(0, self.bytes - self.window)
end

--- What has not arrived at the reader's system, be it read there or not: bytes of the window, and for how long.
---@return integer bytes, number seconds
function Pipe:unacknowledged()
  for index = self.first, self.last do
    local item = self[index]
    if item.due > (self.silent or self.context.clock.tick) then
      local before = 0
      for i = self.first, index - 1 do
        before = before + self[i].size
      end
      return math.max(0, math.min(self.bytes, self.window) - before), self.context.clock:now() - item.at
    end
  end
  return 0, 0
end

--- Nobody reads any more: what comes is discarded.
function Pipe:leave()
  self.reader, self.left = nil, true
  self:go_on()
end

--- What the system has not taken is never sent.
function Pipe:cut()
  while self.last > self.first and self:pending() > 0 do
    local item = self[self.last]
    self[self.last] = nil
    self.last = self.last - 1
    self.bytes = self.bytes - item.size
  end
end

-- ---- Both directions ----

local Link = {}
Link.__index = Link

--- The two pipes of a connection, `up` from the client.
function pipe.link(context)
  local window = context.world.window
  return setmetatable({ up = pipe.new(context, window), down = pipe.new(context, window) }, Link)
end

--- Nothing arrives for `seconds`, then all of it.
function Link:stall(seconds)
  for _, one in ipairs { self.up, self.down } do
    one.ready_at = one.context.clock:at(seconds)
    for i = one.first, one.last do
      one[i].due = math.max(one[i].due, one.ready_at)
    end
  end
end

--- Nothing arrives any more, and nobody is told.
function Link:silence()
  local tick = self.up.context.clock.tick
  self.up.silent, self.down.silent = tick, tick
end

return pipe
