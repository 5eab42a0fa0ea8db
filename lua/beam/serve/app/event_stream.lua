-- A streamed answer, event by event: a slow client holds the sender back, and faults on demand cut it, between two events or inside one.
local high_water = 1024 * 1024 -- bytes that may wait for a slow client

---@class beam.serve.events
local Events = {}
Events.__index = Events
Events.__name = "beam.serve.events"

local cuts = { cut = true, cut_inside = true }

-- TCP is closed without the last chunk; what was written still arrives.
local function cut(self)
  self.over = true
  self.exchange.request:abort()
  self.exchange:log "(cut)"
end

local function cut_later(self, seconds)
  local exchange = self.exchange
  exchange:pause(seconds)
  if self.over or exchange:is_over() then
    return
  elseif self.fault.name == "cut" then
    cut(self)
  else
    self.cut_at = self.written
  end
end

-- Draws what will befall it.
local function draw(self)
  local faults = self.exchange.server.faults
  local fault = faults:choose(cuts)
  self.fault = fault
  if fault and fault.unit == "seconds" then
    self.exchange.server.driver.spawn(cut_later, self, faults:draw(fault))
  elseif fault then
    self.cut_at = faults:draw(fault)
  end
end

--- Starts the answer.
---@param exchange table beam/serve/exchange.lua
---@param headers beam.core.headers
---@return beam.serve.events
local function begin(exchange, headers)
  local self = setmetatable({ exchange = exchange, written = 0, over = false }, Events)
  if not exchange:begin(200, headers) and not exchange:is_over() then -- it was answered: the task had ended before
    self.over = true
    return self
  end
  draw(self)
  if self.cut_at == 0 and self.fault.name == "cut" then
    cut(self)
  end
  return self
end

--- Nobody reads any more.
function Events:is_over()
  return self.over or self.exchange:is_over()
end

--- Sends one event; waits while too much waits for a slow client. Nothing happens once it is over.
---@param text string
function Events:write(text)
  if self:is_over() then
    return
  end
  local exchange = self.exchange
  local inside = self.fault and self.fault.name == "cut_inside" and self.written == self.cut_at
  exchange.request:stream_write(inside and text:sub(1, math.ceil(#text / 2)) or text)
  self.written = self.written + 1
  if inside or self.fault and self.fault.name == "cut" and self.written == self.cut_at then
    return cut(self)
  end
  while not self:is_over() and (exchange.request:pending() or 0) > high_water do
    exchange.server.driver.sleep(0.01)
  end
end

--- It ends in the middle, and the client sees that.
function Events:break_off()
  if not self.over then
    cut(self)
  end
end

--- The last of it.
function Events:finish()
  if not self.over then
    self.over = true
    self.exchange.request:stream_end()
    self.exchange:log(self.exchange.gone and "(client left)" or "200 (streamed)")
  end
end

return { begin = begin }
