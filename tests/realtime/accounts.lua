-- The accounts of a stream of numbered messages: what its sender was told of each, and what the app received.
--
-- What must hold, whatever happens to the connection: every message has one outcome; what was "written" was received; what was not
-- received is "unknown"; nothing is received twice unless on_reconnect sent it again; the order is kept.
local Accounts = {}
Accounts.__index = Accounts

local accounts = {}

function accounts.new()
  return setmetatable({ sent = 0, outcomes = {}, again = {}, connections = {}, problems = {}, resent = 0 }, Accounts)
end

local function problem(self, text, ...)
  if #self.problems < 20 then
    self.problems[#self.problems + 1] = text:format(...)
  end
end

--- The next message, to be sent as it is.
function Accounts:next()
  self.sent = self.sent + 1
  return { record = self.sent }
end

--- For the option on_outcome.
function Accounts:outcome(message, outcome)
  local number = message.record
  if self.outcomes[number] then
    problem(self, "%d ended twice: %s, then %s", number, self.outcomes[number], outcome)
  end
  self.outcomes[number] = outcome
end

--- on_reconnect sends these again.
function Accounts:send_again(entries)
  for _, entry in ipairs(entries) do
    self.again[entry.message.record] = true
    self.resent = self.resent + 1
  end
  return entries
end

--- The app received a message over its connection number `connection`.
function Accounts:received(connection, number)
  local list = self.connections[connection]
  if not list then
    list = { connection = connection }
    self.connections[connection] = list
  end
  list[#list + 1] = number
end

local function in_order(self)
  local ids = {}
  for id in pairs(self.connections) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  return ids
end

-- How often each number was received; says what came out of order.
local function count_received(self)
  local times, highest = {}, 0
  for _, id in ipairs(in_order(self)) do
    local before, highest_before = 0, highest
    for _, number in ipairs(self.connections[id]) do
      if number <= before then
        problem(self, "connection %d: %d came after %d", id, number, before)
      elseif number <= highest_before and not self.again[number] then
        problem(self, "connection %d: %d came after %d of a connection before", id, number, highest_before)
      end
      before = number
      highest = math.max(highest, number)
      times[number] = (times[number] or 0) + 1
    end
  end
  return times
end

local function judge(self, number, times)
  local outcome = self.outcomes[number]
  if not outcome then
    problem(self, "%d has no outcome", number)
  elseif times == 0 and outcome == "written" then
    problem(self, "%d was written, and never received: an unreported loss", number)
  elseif times > 0 and outcome ~= "written" and outcome ~= "unknown" then
    problem(self, "%d was %s, and received", number, outcome)
  elseif times > 1 and not self.again[number] then
    problem(self, "%d was received %d times", number, times)
  end
end

--- Closes the accounts. Returns the figures and a list of what is wrong.
---@return table<string, integer> figures, string[] problems
function Accounts:close()
  local times = count_received(self)
  local figures = { sent = self.sent, received = 0, duplicates = 0, lost = 0, resent = self.resent, connections = #in_order(self) }
  for number = 1, self.sent do
    local count, outcome = times[number] or 0, self.outcomes[number] or "none"
    judge(self, number, count)
    figures[outcome] = (figures[outcome] or 0) + 1
    figures.received = figures.received + math.min(count, 1)
    figures.duplicates = figures.duplicates + math.max(count - 1, 0)
    figures.lost = figures.lost + (count == 0 and 1 or 0)
  end
  return figures, self.problems
end

return accounts
