-- What the player of a connection and that of a request have in common: time, and the comparison with the recording.
local compare = require "beam.record.replay.compare"

local at_once = 0.005 -- seconds between two events that came together

local Player = {}
Player.__index = Player

---@param replay table lua/beam/replay.lua
---@param exchange beam.replay.exchange
---@param request beam.core.request
function Player.new(class, replay, exchange, request)
  return setmetatable({
    replay = replay,
    driver = replay.driver,
    report = replay.report,
    exchange = exchange,
    request = request,
    changed = replay.driver.signal(),
    gone = false, -- the client has left before it was answered
    over = false, -- nothing can be sent any more
  }, class)
end

--- Something has happened: whoever waits looks again.
function Player:wake()
  self.changed:wake_all()
end

--- Waits for as long as it took between two events of the recording, unless the client leaves. The replay's speed divides it. What came
--- together is sent together: a client that was given an answer and the end of its connection had no time to say more.
---@param event table
---@param previous table
function Player:keep_time(event, previous)
  local gap = event.at - previous.at
  local deadline = self.driver.now() + (gap > at_once and gap / self.replay.options.speed or 0)
  while not self.over and self.driver.now() < deadline do
    self.changed:wait(deadline - self.driver.now())
  end
end

--- Waits until `condition` holds, for as long as it took in the recording and the replay's patience besides.
---@param condition fun(): any
---@return any
function Player:await(condition, event, previous)
  local options = self.replay.options
  local deadline = self.driver.now() + options.patience + (event and (event.at - previous.at) / options.speed or 0)
  local result = condition()
  while not result and self.driver.now() < deadline do
    self.changed:wait(deadline - self.driver.now())
    result = condition()
  end
  return result
end

--- Raises if something could not be sent, unless the client has left.
function Player.must(ok, err)
  if not ok and err.kind ~= "closed" then
    error(err.message, 0)
  end
end

--- Tells a difference.
function Player:differ(what, line, part)
  self.report:differ(self.exchange.name .. (part and ", " .. part or ""), line, what)
end

--- Compares what the client sent with what it had sent.
---@param part string "message 3"
---@param event table of the recording
function Player:compare(part, event, expected, got)
  self.report.messages = self.report.messages + 1
  local same, how = compare.texts(expected, got, self.replay.options.exact)
  if not same then
    self:differ(compare.explain(expected, got, how), event.line, part)
  elseif how == "form" then
    self.report.form = self.report.form + 1
  end
end

return Player
