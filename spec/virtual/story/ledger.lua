-- The books of a story: what was sent, what arrived, what was said to have become of it; and what must hold of that. The first
-- thing that does not hold raises.
--
--   a message that was taken   ends exactly once: written, expired, dropped or unknown
--   written                    has arrived
--   refused, expired, dropped  has not arrived, and never will
--   arrived                    at most once for each time it was handed over (on_reconnect hands over once more), in the
--                              order of the sends
--   the server's messages      are received at most once, in order, without a gap inside a connection
--
-- A message may go out in parts (an outgoing transform that fans out); what is said here holds for each part.
local json = require "beam.json"

local Ledger = {}
Ledger.__index = Ledger

local ledger = {}

function ledger.new(trace)
  return setmetatable({
    trace = trace,
    entries = {}, -- by id
    last_id = 0,
    last_arrived = 0, -- id and part of the newest message that has arrived, as one number
    ordered = true, -- messages cannot overtake each other (coalesce lets them)
    last_number = 0, -- of the server's messages
    last_received = 0,
    sent = {}, -- the server's messages: number = connection
    received = {},
    attempts = 0,
    open_connections = 0,
  }, Ledger)
end

local function fail(text, ...)
  error(("does not hold: " .. text):format(...), 0)
end
Ledger.fail = fail

-- ---- Client to server ----

--- The next message. `parts`: how many an outgoing transform makes of it.
function Ledger:new_message(parts)
  self.last_id = self.last_id + 1
  local entry = { id = self.last_id, parts = parts, arrivals = {}, handed = {}, outcomes = {} }
  self.entries[entry.id] = entry
  return entry
end

function Ledger:taken(entry, ok, err, now)
  entry.at = now
  entry.taken = ok and true or false
  self.trace("client: message %d is %s", entry.id, ok and "taken" or "refused: " .. tostring(err))
  if not ok and not (type(err) == "table" and err.kind) then
    fail("message %d was refused without an error", entry.id)
  elseif not ok and entry.parts == 1 and entry.outcomes[1] then
    fail("message %d was refused, and %s", entry.id, entry.outcomes[1])
  end
end

--- What the connection says has become of it.
function Ledger:outcome(message, outcome)
  local entry, part = self:find(message)
  self.trace("client: message %d.%d is %s", entry.id, part, outcome)
  if entry.outcomes[part] then
    fail("message %d.%d has two outcomes: %s, %s", entry.id, part, entry.outcomes[part], outcome)
  elseif outcome == "written" and not entry.arrivals[part] then
    fail("message %d.%d is said to be written and has not arrived", entry.id, part)
  elseif (outcome == "expired" or outcome == "dropped") and entry.arrivals[part] then
    fail("message %d.%d is said to be %s and has arrived", entry.id, part, outcome)
  end
  entry.outcomes[part] = outcome
end

--- on_reconnect returned it: it is to be sent once more.
function Ledger:returned(message)
  local entry, part = self:find(message)
  self.trace("client: message %d.%d is sent again", entry.id, part)
  if entry.outcomes[part] then
    fail("message %d.%d was %s, and is asked about", entry.id, part, entry.outcomes[part])
  end
  entry.handed[part] = (entry.handed[part] or 1) + 1
end

--- From now on it waits for that, and for as long as the first time.
function Ledger:waits_again(message, now)
  self:find(message).at = now
end

--- The entry and part of a message as it was sent: a table, its JSON, or "id=5" as bytes.
function Ledger:find(message)
  local id = type(message) == "table" and message.id or type(message) == "string" and tonumber(message:match "id\"?[=:](%d+)")
  local entry = self.entries[id]
  if not entry then
    fail("nobody sent this: %s", tostring(message))
  end
  return entry, type(message) == "table" and message.part or 1
end

--- The server has it. Returns the message.
function Ledger:arrived(session, data, binary)
  local message = binary and data or json.decode(data)
  local entry, part = self:find(message)
  local count, outcome = (entry.arrivals[part] or 0) + 1, entry.outcomes[part]
  entry.arrivals[part] = count
  self.trace("server: connection %d: message %d.%d", session.number, entry.id, part)
  if entry.taken == false and entry.parts == 1 then
    fail("message %d was refused, and has arrived", entry.id)
  elseif count > (entry.handed[part] or 1) then
    fail("message %d.%d arrived %d times, and was handed over %d times", entry.id, part, count, entry.handed[part] or 1)
  elseif outcome == "expired" or outcome == "dropped" then
    fail("message %d.%d arrived after it was said to be %s", entry.id, part, outcome)
  end
  self:in_order(session, entry, part, count)
  return type(message) == "table" and message or { id = entry.id }
end

-- A server that was given up as dead may still read what it has, after what the next connection brought.
function Ledger:in_order(session, entry, part, count)
  local place, is_newest = entry.id + part / 100, session == self.newest
  if not self.ordered then
    return
  elseif count == 1 and is_newest and place < self.last_arrived then
    fail("message %d.%d arrived after %.2f", entry.id, part, self.last_arrived)
  elseif place <= (session.last_arrived or 0) then
    fail("message %d.%d arrived after %.2f on the same connection", entry.id, part, session.last_arrived)
  end
  self.last_arrived = is_newest and math.max(self.last_arrived, place) or self.last_arrived
  session.last_arrived = place
end

-- ---- Server to client ----

function Ledger:attempt()
  self.attempts = self.attempts + 1
end

function Ledger:accepted(session)
  self.newest = session
  session.numbers = {}
end

function Ledger:will_send()
  self.last_number = self.last_number + 1
  return self.last_number
end

function Ledger:server_sent(session, number)
  self.sent[number] = session
  session.numbers[#session.numbers + 1] = number
end

--- The client has it: from receive or a handler ("read"), or as the answer to a request.
function Ledger:got(message, how)
  local number = type(message) == "table" and message.s
  if type(message) == "table" and message.type == "ping" and self.sees_pings then
    return
  end
  if not number or not self.sent[number] then
    fail("the client got what the server never sent: %s", tostring(number or message))
  end
  local part = message.part or 1
  self.trace("client: got %d.%d (%s)", number, part, how)
  local place = number + part / 100
  if self.received[place] then
    fail("the server's message %d.%d was received twice", number, part)
  elseif how == "read" and place < self.last_received then
    fail("the server's message %d.%d was received after %.2f", number, part, self.last_received)
  end
  self.received[place] = true
  self.last_received = how == "read" and place or self.last_received
end

--- How many of the server's messages are missing between those of their connection that were received.
function Ledger:gaps(sessions, dropped)
  local gaps = 0
  for _, session in ipairs(sessions) do
    local missing = 0
    for _, number in ipairs(session.numbers) do
      if self.received[number + 0.01] then
        gaps, missing = gaps + missing, 0
      elseif not dropped(number) then
        missing = missing + 1
      end
    end
  end
  return gaps
end

-- ---- The end ----

---@return table<string, integer>
function Ledger:count_outcomes()
  local counts = { written = 0, expired = 0, dropped = 0, unknown = 0 }
  for _, entry in ipairs(self.entries) do
    for _, outcome in pairs(entry.outcomes) do
      counts[outcome] = counts[outcome] + 1
    end
  end
  return counts
end

--- Every message that was taken has its outcome.
function Ledger:close()
  for id, entry in ipairs(self.entries) do
    for part = 1, entry.taken and entry.parts or 0 do
      if not entry.outcomes[part] then
        fail("message %d.%d was taken and has no outcome", id, part)
      end
    end
  end
end

return ledger
