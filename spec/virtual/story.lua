-- One story: a client with everything that a script can do, a server that does its worst, both from one seed. Wild at first;
-- then calm, when a connection that is not closed for good has to come back and work; then the end, after which nothing may
-- be left. What does not hold raises an error.
local fresh = require "virtual.fresh"
local random = require "virtual.random"
local virtual = require "virtual.core"

local Story = {}
Story.__index = Story

local story = {}

local patience = 4000 -- seconds in which a calm server has its client back: a cold start and a backoff

local function new(seed, trace)
  local self = setmetatable({ seed = seed, random = random.new(seed), world = virtual.world(), calm = false, closes = 0, opens = 0, failures = 0 }, Story)
  local clock = self.world.clock
  function self.now()
    return clock:now()
  end
  local start = clock:now()
  function self.trace(text, ...)
    if trace then
      trace(("%10.3f  "):format(clock:now() - start) .. text:format(...))
    end
  end
  self.length = self.random:seconds(1, 300)
  self.world.latency = self.random:seconds(0.001, 0.3)
  self.world.window = self.random:of { 2000, 65536 }
  return self
end

-- ---- What the connection tells ----

--- The retry hook was asked, and said so many seconds.
function Story:retrying(attempt, err, seconds)
  self.trace("client: failure %d (%s): %s", attempt, err.message, seconds and ("again in %.3f s"):format(seconds) or "gives up")
  local expected = self.was_ready and 1 or self.failures + 1
  if attempt ~= expected and not self.drop then
    self.fail("the retry hook is asked about failure %d in a row, and it is number %d", attempt, expected)
  elseif self.phase_of_end then
    self.fail "a connection that was closed thinks of another attempt"
  end
  self.failures, self.was_ready = attempt, false
  self.gave_up = not seconds
  self.again_at = seconds and self.now() + seconds or nil
end

--- An attempt is made: the first one, or one that was granted, when its time had come.
function Story:attempting()
  local late = self.options.connect and 5 or 0.1
  if self.ledger.attempts > 1 and not self.again_at then
    self.fail "an attempt is made that nobody asked for"
  elseif self.again_at and self.now() < self.again_at - 0.001 then
    self.fail("an attempt is made %.3f s before its time", self.again_at - self.now())
  elseif self.again_at and self.now() > self.again_at + late and not self.jumped then
    self.fail("an attempt is made %.3f s after its time", self.now() - self.again_at)
  end
  self.again_at = nil
end

--- The script has its connection: from the first handler that is called, or when it is open.
function Story:met(conn)
  if conn and not self.weak then
    self.conn, self.weak = conn, setmetatable({ conn }, { __mode = "v" })
  end
end

-- What the handlers are told; nothing after the close.
local told = {}

function told.outcome(self, message, _, outcome)
  self.ledger:outcome(message, outcome)
end

function told.open(self)
  self.opens = self.opens + 1
end

function told.close(self, err)
  self.closes = self.closes + 1
  self.trace("client: on_close (%s)", tostring(err))
end

function told.error(self, err)
  self.trace("client: error (%s)", tostring(err))
  if err.kind ~= "transform" then
    self.problem = err
  end
end

function told.phase(self, phase, conn)
  self.trace("client: %s", phase)
  self:met(conn)
  self.was_ready = self.was_ready or phase == "ready"
end

function told.stalled(self)
  self.trace "client: stalled"
  if not self.pings and not self.options.stalled then
    self.fail "a server that never sent a ping is said to be stalled"
  end
end

function told.message(self, message)
  self.ledger:got(message, "read")
end

local function listeners(self)
  for name, fn in pairs(told) do
    if name ~= "message" or self.handler then
      self.options["on_" .. name] = function(...)
        if self.closes > 0 then
          self.fail("on_%s was called after on_close", name)
        end
        fn(self, ...)
      end
    end
  end
end

-- ---- What holds after each step ----

-- How many attempts there are, and how many of them have come to be open.
local function client_ends(self)
  local ends, open = 0, 0
  for object in pairs(self.context.owned) do
    if object.role == "client" then
      ends = ends + 1
      open = open + ((object.phase == "open" or object.phase == "closing") and 1 or 0)
    end
  end
  return ends, open
end

-- Of all timers only the driver's one may be left: for waits that ended early.
local function timers_held(self)
  local count = 0
  for object in pairs(self.context.owned) do
    count = count + (object.fires and 1 or 0)
  end
  return count
end

-- What waits in the queue beyond its time.
local function check_expiry(self, conn)
  local ttl = self.options.queue and self.options.queue.ttl
  if not ttl or self.jumped or self.world.context.steps % 16 ~= 0 then
    return
  end
  for _, message in ipairs(conn:unsent()) do
    local entry = self.ledger:find(message)
    if conn.state ~= "closed" and entry.at and self.now() > entry.at + ttl + 1 then
      self.fail("message %d waits for %.1f s, and queue.ttl is %g s", entry.id, self.now() - entry.at, ttl)
    end
  end
end

-- A connection through which nothing comes is noticed in time: silence for 20 s, and a ping without an answer for as long, seen at
-- one of the looks that are up to 5 s apart. After a jump of the clock the ping goes out at once.
local function check_silence(self, conn)
  local last = self.peer.sessions[#self.peer.sessions]
  if not (last and last.silent and conn.state == "open") or self.options.inbox or not (self.reads or self.handler) then
    return
  end
  local limit = last.silent + 47
  if self.jumped and self.jumped > last.silent then
    limit = self.jumped + (self.jumped - last.silent > 30 and 27 or 47)
  end
  if self.now() > limit and self.peer.attempts == last.attempt then
    self.fail("a silent connection is still said to be open after %.1f s", self.now() - last.silent)
  end
end

local function check_bounds(self, conn)
  local stats, inbox = conn:stats(), self.options.inbox
  if inbox and conn.state == "open" and stats.inbox > 2 * inbox.max then
    self.fail("%d messages wait to be read, and inbox.max is %d", stats.inbox, inbox.max)
  elseif stats.waiting_requests > 0 and conn.state ~= "open" and conn.state ~= "closing" then
    self.fail("%d requests wait for answers of a connection that was lost", stats.waiting_requests)
  end
  check_expiry(self, conn)
  check_silence(self, conn)
end

local function check_state(self)
  local conn, ends, open = self.conn, client_ends(self)
  if ends > 1 and self.abandoned_until <= self.now() then
    self.fail("%d attempts at once", ends)
  elseif self.collected and ends == 0 and not (self.weak and self.weak[1]) and timers_held(self) > 1 then
    self.fail("%d timers are held after the connection was collected", timers_held(self))
  elseif not conn then
    return
  elseif conn.state == "open" and open == 0 then
    self.fail "the connection says it is open, and no WebSocket is"
  elseif conn.state == "closed" and not conn.err then
    self.fail "the connection is closed and does not say why"
  elseif conn.state == "closed" and timers_held(self) > 1 then
    self.fail("%d timers are held after the end", timers_held(self))
  elseif conn.state ~= "closed" and conn.state ~= "open" and ends == 0 and self.world:still() and self.reactor.quiet() then
    self.fail("the connection is %s, and nothing is pending", conn.state)
  end
  check_bounds(self, conn)
end

-- An attempt that was given up says goodbye for up to close_timeout, while the next one is made.
local function note_abandoned(self)
  local ends = client_ends(self)
  if ends <= 1 then
    self.abandoned_until = self.now() + self.options.close_timeout + 0.01
  end
end

local function check_outcome_of_tasks(self)
  for _, task in ipairs(self.tasks) do
    if task.done and task.err and not task.joined then
      error(task.err.cause or task.err, 0)
    end
  end
  if self.problem then
    error(self.problem, 0)
  end
end

function Story:turn(seconds)
  self.driver.step(seconds)
  note_abandoned(self)
  check_state(self)
  check_outcome_of_tasks(self)
  if self.world.context.count > 200 then
    self.fail("%d objects of the core are held", self.world.context.count)
  end
end

function Story:turn_until(limit, done)
  local deadline = self.now() + limit
  while not done() and self.now() < deadline do
    self:turn(math.min(30, deadline - self.now()))
  end
  return done()
end

local function wait(self, seconds)
  self:turn_until(seconds, function()
    return false
  end)
end

-- ---- The parts of a story ----

--- The clock will jump: a machine that slept, or a program that did not step.
function Story:jump_at(seconds, ahead)
  self.world:after(seconds, function()
    self.trace("---- the clock jumps by %.3f s ----", ahead)
    self.world.clock:jump(ahead)
    self.jumped = self.now()
  end)
end

function Story:spawn(fn)
  local task = self.driver.spawn(fn, self)
  self.tasks[#self.tasks + 1] = task
  return task
end

local function begin(self)
  local actors = require "virtual.story.actors"
  self.driver, self.reactor, self.waiting, self.tasks = require "beam.driver", require "beam.driver.reactor", require "beam.driver.waiting", {}
  self.context = self.driver.context()
  self.abandoned_until = self.now()
  self.ledger = require("virtual.story.ledger").new(self.trace)
  self.fail = self.ledger.fail
  self.temper, self.pings = self.random:of(require("virtual.story.peer").tempers), self.random:chance(0.8)
  require("virtual.story.plan").make(self)
  self.drop = self.random:chance(0.1)
  self.handler = not self.drop and self.random:chance(0.3)
  self.keyed = self.random:chance(0.5)
  if not self.drop then -- handlers hold their connection
    listeners(self)
  end
  self.peer = require("virtual.story.peer").new(self, self.context)
  self:spawn(actors.opener)
  self:spawn(actors.writer)
  if self.drop then
    self:spawn(actors.dropper)
    return
  end
  if self.random:chance(0.4) then
    self.asks = true
    self:spawn(actors.asker)
  end
  if not self.handler and self.random:chance(0.8) then
    self.reads = true
    for _ = 1, self.random:of { 1, 1, 1, 2 } do
      self:spawn(actors.reader)
    end
  end
  if self.random:chance(0.15) then
    self:jump_at(self.random:seconds(0.01, self.length), self.random:seconds(1, 300))
  end
  if self.random:chance(0.3) then
    self:spawn(actors.closer)
  end
end

function Story:close()
  self.trace "client: closes"
  self.phase_of_end = true
  local start = self.now()
  if self.random:chance(0.1) then -- as a program does that ends: without waiting
    self.hurried = true
    require("beam.driver.open").close_all(1001)
  end
  self.conn:close(self.random:of { 1000, 1001, 4000 }, "bye")
  if self.conn.state ~= "closed" then
    self.fail("after close() the connection is %s", self.conn.state)
  elseif self.now() - start > 2 * self.options.close_timeout + 0.1 and not self.jumped then
    self.fail("close() took %g s, and close_timeout is %g s", self.now() - start, self.options.close_timeout)
  end
end

-- Calm: the connection is open and stays so, or is closed for a reason.
local function calm_down(self)
  self.trace "---- calm ----"
  self.calm, self.peer.calm = true, true
  local back = self:turn_until(patience, function()
    return self.opened and (not self.conn or self.conn.state == "closed" or self.conn.state == "open")
  end)
  if not back then
    self.fail("after %d s of calm the connection is %s", patience, self.conn and self.conn.state or "not there")
  end
  wait(self, 100)
  if not self.conn then
    return
  end
  if self.conn.state == "closed" and not (self.phase_of_end or self.gave_up or self.options.idle_timeout) then
    self.fail("the connection is closed (%s) although nobody gave up", tostring(self.conn.err))
  end
end

local function is_linked(self)
  local last = self.peer.sessions[#self.peer.sessions]
  return self.conn and self.conn.state == "open" and last and not (last.over or last.silent or last.held)
end

-- Where nobody reads, no answer can be heard either.
local function is_healthy(self)
  return (self.reads or self.handler) and is_linked(self)
end

-- Messages that go through the outgoing transform as one part each.
local function send_plain(self, count)
  local entries = {}
  while #entries < count do
    local entry = self.ledger:new_message(1)
    if not self.outgoing or self.outgoing(entry.id) == 1 then
      entries[#entries + 1] = entry
    end
  end
  self:spawn(function()
    for _, entry in ipairs(entries) do
      self.ledger:taken(entry, self.conn:send { id = entry.id })
    end
  end)
  return entries
end

-- As many messages as the queue takes, and lets go out in their time.
local function at_most(self, count)
  local queue, rate = self.options.queue, self.options.rate
  if queue and rate then
    count = math.min(count, queue.max, math.floor((queue.ttl or 1000) * rate / 2))
  end
  return queue and queue.max_bytes and rate and 0 or count
end

local function seconds_for(self, count)
  return count / (self.options.rate or 1000) + count * (self.outgoing and 1 or 0)
end

local function check_written(self, entries, where)
  for _, entry in ipairs(entries) do
    if entry.taken and entry.outcomes[1] ~= "written" then
      self.fail("message %d %s is %s", entry.id, where, tostring(entry.outcomes[1]))
    end
  end
end

-- A server that behaves keeps its connection, whatever the clock does and whether anybody reads.
local function stay(self)
  local attempts = self.ledger.attempts
  wait(self, 60)
  self:jump_at(0, 200)
  self:turn(0.01)
  wait(self, 60)
  if self.ledger.attempts ~= attempts then
    self.fail "a connection to a calm server was made again"
  end
end

-- What is sent to a calm server arrives, and is known to.
local function probe(self)
  self.trace "---- probe ----"
  self:turn_until(300, function()
    return not is_healthy(self) or #self.conn:unsent() == 0
  end)
  local count = at_most(self, 20)
  local entries = send_plain(self, count)
  wait(self, seconds_for(self, count) + 3 + 4 * self.world.latency)
  check_written(self, entries, "to a calm server")
end

-- What is sent right before the end still goes out, if there is time for it.
local function part(self)
  local in_time = at_most(self, 3) == 3 and seconds_for(self, 3) + 4 * self.world.latency + 0.05 < self.options.close_timeout
  if not (is_linked(self) and in_time and #self.conn:unsent() == 0) or self.conn:stats().pending > 0 then
    return {}
  end
  local conn, entries = self.conn, send_plain(self, 3)
  self:turn_until(30, function()
    return entries[3].taken ~= nil or conn.state ~= "open"
  end)
  return conn.state == "open" and entries or {}
end

-- A server behind a silent connection does not learn of its end.
local function objects_of_client(self)
  local count = 0
  for object in pairs(self.context.owned) do
    count = count + (object.role == "server" and 0 or 1)
  end
  return count
end

-- Everything is given back: what is left then is left for ever.
local function finish(self)
  self.trace "---- end ----"
  local conn = self.conn
  if conn then
    local entries = not self.drop and part(self) or {}
    self:spawn(function()
      self:close()
    end)
    self:turn_until(100, function()
      return conn.state == "closed"
    end)
    wait(self, 1)
    check_written(self, self.hurried and {} or entries, "before a close frame")
  end
  for _ = 1, self.collected and 5 or 0 do -- an actor may have held it until its call was over, or a stack still
    collectgarbage()
    wait(self, 1)
  end
  if timers_held(self) > 1 then -- also of a connection that was collected
    self.fail("%d timers are held after the end", timers_held(self))
  end
  self.phase_of_end = true
  self.peer:stop()
  local left = self.ledger.attempts
  self:turn_until(2000, function()
    return self.world:still() and self.reactor.quiet()
  end)
  if not (self.world:still() and self.waiting.stuck()) then
    self.fail("%d timers are left, and the driver %s", self.world.clock:count(), self.waiting.stuck() and "rests" or "waits for something")
  elseif objects_of_client(self) > 0 then
    self.fail("%d objects of the core are left", objects_of_client(self))
  elseif self.ledger.attempts ~= left then
    self.fail "an attempt was made after the end"
  end
end

local function check_books(self)
  if self.collected then
    return
  end
  self.ledger:close()
  local stats = self.conn:stats()
  for outcome, count in pairs(self.ledger:count_outcomes()) do
    if stats[outcome] ~= count then
      self.fail("stats() has %d messages that are %s, and %d were told", stats[outcome], outcome, count)
    end
  end
  if self.opens > 1 or self.closes ~= self.opens then
    self.fail("on_close was called %d times, after %d times open", self.closes, self.opens)
  end
  local complete = (self.reads or self.handler) and not (self.asks and not self.keyed)
  if complete and self.ledger:gaps(self.peer.sessions, self.drops) > self.conn:stats().late then
    self.fail("%d of the server's messages are missing", self.ledger:gaps(self.peer.sessions, self.drops))
  end
end

-- Collecting all there is takes longer than a whole story: some do.
local function check_collected(self)
  if self.seed % 16 ~= 0 then
    return
  end
  self.conn, self.tasks = nil, {}
  if rawget(_G, "jit") then
    _G.jit.flush() -- what is compiled keeps the closures that it called
  end
  for _ = 1, 4 do
    collectgarbage()
  end
  if self.weak and self.weak[1] then
    self.fail "the connection is held by somebody after its end"
  end
end

local function play(self)
  begin(self)
  self:turn_until(self.length, function()
    return self.conn and self.conn.state == "closed" or self.collected
  end)
  calm_down(self)
  if is_linked(self) and not self.options.idle_timeout then
    stay(self)
  end
  if is_healthy(self) and not self.drop then
    probe(self)
  end
  finish(self)
  check_books(self)
  check_collected(self)
end

--- Plays the story of a seed. Returns what does not hold, or nil.
---@param seed integer
---@param trace fun(line: string)?
---@return string? failure
function story.play(seed, trace)
  local self = new(seed, trace)
  local ok, err = pcall(fresh.with, self.world.core, function()
    require("beam.log").to(function(level, line)
      self.trace("log: %s: %s", level, line)
      self.problem = self.problem or line:find "does not hold" and line or nil
    end)
    play(self)
  end)
  return not ok and tostring(err) or nil, self
end

return story
