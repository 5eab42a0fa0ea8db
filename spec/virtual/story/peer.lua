-- The server of a story, as bad as its seed wants it: it refuses, rejects, delays, sends, drops, resets, closes, stalls and
-- falls silent. From `peer.calm = true` on it behaves; what it did before stays done.
local json = require "beam.json"

local Peer = {}
Peer.__index = Peer

local peer = {}

-- What befalls attempts and connections: each temper has its weights. The first of each list is the good end.
local tempers = {
  good = {
    route = { { "fine", 20 }, { "slow", 1 } },
    answer = { { "accept", 20 }, { "cold", 2 } },
    fate = { { "live", 6 }, { "close", 2 }, { "drop", 2 }, { "reset", 1 }, { "stall", 1 } },
  },
  flapping = {
    route = { { "fine", 10 }, { "slow", 1 }, { "refuse", 2 } },
    answer = { { "accept", 10 }, { "passing", 2 }, { "cold", 1 }, { "abort", 1 }, { "reset", 1 } },
    fate = { { "live", 1 }, { "close", 3 }, { "drop", 4 }, { "reset", 4 }, { "stall", 2 }, { "silence", 1 }, { "hold", 2 } },
  },
  sick = {
    route = { { "fine", 12 }, { "slow", 2 }, { "refuse", 2 }, { "unknown", 1 }, { "black_hole", 1 } },
    answer = { { "accept", 10 }, { "cold", 2 }, { "passing", 3 }, { "final", 1 }, { "abort", 1 }, { "reset", 1 }, { "never", 1 } },
    fate = {
      { "live", 1 }, { "close", 3 }, { "any_close", 2 }, { "drop", 2 }, { "reset", 2 }, { "stall", 2 }, { "silence", 3 }, { "zombie", 3 },
      { "hold", 2 },
    },
  },
  mute = {
    route = { { "fine", 1 } },
    answer = { { "accept", 6 }, { "passing", 1 } },
    fate = { { "silence", 4 }, { "zombie", 3 }, { "hold", 2 }, { "live", 1 } },
  },
}

peer.tempers = { "good", "flapping", "sick", "mute" }

local passing = { 429, 500, 502, 503, 504 }
local final = { 400, 401, 403, 404 }
local passing_codes = { 1001, 1011, 1012, 1013 }
local any_code = { 1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000, 4999 }

---@param story table world, random, ledger, trace, temper, pings
---@param context table beam.core's
function peer.new(story, context)
  local self = setmetatable({
    world = story.world,
    random = story.random,
    ledger = story.ledger,
    story = story,
    trace = story.trace,
    weights = tempers[story.temper],
    pings = story.pings,
    replies = story.random:chance(0.7),
    chatter = story.random:chance(0.6) and story.random:seconds(0.5, 20),
    lives = story.random:seconds(0.1, 300),
    sessions = {},
    attempts = 0,
    calm = false,
    stopped = false,
  }, Peer)
  self.server = assert(context:server({}, function(request)
    self:asked(request)
  end))
  self.url = "ws://127.0.0.1:" .. self.server:port()
  function self.world.route()
    return self:route()
  end
  function self.world.linked(_, link)
    self.link = link
  end
  return self
end

function Peer:after(seconds, fn)
  self.world:after(seconds, function()
    if not self.stopped then
      fn()
    end
  end)
end

--- It does nothing any more.
function Peer:stop()
  self.stopped = true
  self.server:close()
end

-- ---- Before the connection ----

local routes = {
  refuse = function()
    return { fails = "tcp" }
  end,
  unknown = function(random)
    return { fails = "dns", dns = random:seconds(0.01, 8) }
  end,
  black_hole = function()
    return { black_hole = true }
  end,
  slow = function(random)
    return { dns = random:seconds(0.01, 3), tcp = random:seconds(0.01, 8) }
  end,
}

function Peer:route()
  self.attempts = self.attempts + 1
  self.ledger:attempt()
  self.story:attempting()
  local what = not self.calm and self.random:weighed(self.weights.route) or "fine"
  self.trace("server: attempt %d, route %s", self.attempts, what)
  return routes[what] and routes[what](self.random)
end

local answers = {}

function answers.passing(self, request)
  local status = self.random:of(passing)
  local headers = self.random:chance(0.3) and { { "retry-after", tostring(self.random:whole(0, 20)) } } or {}
  self.trace("server: %d", status)
  request:respond(status, headers, '{"error":"no room"}')
end

function answers.final(self, request)
  local status = self.random:of(final)
  self.trace("server: %d", status)
  request:respond(status, {}, '{"error":"no"}')
end

function answers.abort(_, request)
  request:abort()
end

function answers.reset(_, request)
  request:abort(true)
end

function answers.never() end

function answers.cold(self, request)
  self:after(self.random:seconds(0.1, 300), function()
    self:accept(request)
  end)
end

function answers.accept(self, request)
  self:accept(request)
end

function Peer:asked(request)
  local what = not self.calm and self.random:weighed(self.weights.answer) or "accept"
  self.trace("server: asked, answer %s", what)
  answers[what](self, request)
end

-- ---- A connection ----

local fates = {}

function fates.close(session)
  local code = session.peer.random:of(passing_codes)
  session.ws:close(code, "why")
end

function fates.any_close(session)
  session.ws:close(session.peer.random:of(any_code), "why")
end

function fates.drop(session)
  session.ws:abort()
end

function fates.reset(session)
  session.ws:abort(true)
end

function fates.silence(session)
  session.silent = session.peer.story.now()
  session.link:silence()
end

function fates.zombie(session)
  session.zombie = true
end

function fates.stall(session)
  session.link:stall(session.peer.random:seconds(0.05, 15))
  session:destine()
end

function fates.hold(session)
  session.ws:pause()
  session.held = true
  session.peer:after(session.peer.random:seconds(0.05, 60), function()
    session.held = false
    session.ws:resume()
  end)
  session:destine()
end

function fates.live() end

local Session = {}
Session.__index = Session

-- What will become of it, and when.
function Session:destine()
  local own = self.peer
  local fate, seconds = own.random:weighed(own.weights.fate), own.random:seconds(0.001, own.lives)
  own:after(seconds, function()
    if not self.over and not own.calm then
      own.trace("server: connection %d: %s", self.number, fate)
      fates[fate](self)
    end
  end)
end

function Session:send(message)
  if self.over or self.zombie then
    return
  end
  local number = self.peer.ledger:will_send(self)
  message.s = number
  if self.ws:send(json.encode(message)) then
    self.peer.ledger:server_sent(self, number)
  end
end

--- True once in so many times: in calm there is less to be seen.
function Session:is_nth(count)
  self.times = (self.times or 0) + 1
  return self.times % count == 0
end

function Session:every(seconds, fn)
  self.peer:after(seconds, function()
    if not self.over and not self.zombie then
      fn()
      self:every(seconds, fn)
    end
  end)
end

function Session:on_message(data, binary)
  local own = self.peer
  local message = own.ledger:arrived(self, data, binary)
  if not message or self.zombie or not (own.replies or message.id and message.wants) then
    return
  end
  own:after(own.random:chance(0.7) and 0 or own.random:seconds(0.001, 2), function()
    self:send { re = message.id, id = message.id }
  end)
end

function Peer:accept(request)
  local session = setmetatable({ peer = self, number = #self.sessions + 1, attempt = self.attempts, over = false }, Session)
  local ws = request:accept({ close_timeout = 1 }, function(event, a, b)
    if event == "message" then
      session:on_message(a, b)
    elseif event == "closed" then
      session.over = true
      self.trace("server: connection %d is over: %s", session.number, tostring(a))
    end
  end)
  if not ws then -- the client has left
    return
  end
  self.sessions[session.number] = session
  session.ws, session.link = ws, self.link
  self.ledger:accepted(session)
  if self.pings then
    ws:send '{"type":"ping"}'
    session:every(5, function()
      ws:send '{"type":"ping"}'
    end)
  end
  if self.chatter then
    session:every(self.chatter, function()
      if not self.calm or session:is_nth(10) then
        session:send {}
      end
    end)
  end
  if not self.calm then
    session:destine()
  end
end

return peer
