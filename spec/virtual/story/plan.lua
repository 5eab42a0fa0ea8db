-- What a story is made of: its options and hooks, drawn from its seed.
local plan = {}

-- What an outgoing transform makes of message `id`: how many parts, or that it fails.
local outgoing = {
  identity = function()
    return 1
  end,
  dropping = function(id)
    return id % 4 == 0 and 0 or 1
  end,
  fanning = function(id)
    return id % 3 == 0 and 2 or 1
  end,
  failing = function(id)
    return id % 5 == 0 and -1 or 1
  end,
}

local function sometimes_wait(story)
  local sleep = require("beam").sleep
  return function()
    if story.random:chance(0.2) then
      sleep(story.random:seconds(0.001, 1))
    end
  end
end

local function add_outgoing(story)
  local parts = outgoing[story.random:of { "identity", "dropping", "fanning", "failing" }]
  local wait = story.random:chance(0.5) and sometimes_wait(story) or function() end
  story.outgoing = parts
  story.options.outgoing = function(message)
    wait()
    local count = parts(message.id)
    if count == -1 then
      error("this one fails", 0)
    elseif count == 2 then
      return { id = message.id, part = 1, wants = message.wants }, { id = message.id, part = 2 }
    elseif count == 1 then
      return message
    end
  end
end

local function add_incoming(story)
  local wait = story.random:chance(0.5) and sometimes_wait(story) or function() end
  local dropping = story.random:chance(0.3)
  story.drops = dropping and function(number)
    return number % 4 == 0
  end or story.drops
  story.options.incoming = function(message)
    wait()
    if not (dropping and message.s and story.drops(message.s)) then
      return message
    end
  end
end

-- A connect hook that may wait, and may have nothing to say.
local function add_connect(story)
  local random = story.random
  story.options.connect = function()
    if random:chance(0.03) and not story.drop then
      require("beam").spawn(require("virtual.story.actors").race, story, random:seconds(0.001, 2))
    end
    if random:chance(0.3) then
      require("beam").sleep(random:seconds(0.001, 3))
    end
    if random:chance(0.2) then
      return nil, "nowhere to go"
    end
    return random:chance(0.5) and { headers = { ["x-try"] = "1" } } or nil
  end
end

-- What on_reconnect sends again: all, nothing, or some.
local function add_on_reconnect(story)
  local random, share = story.random, story.random:of { 0, 0.5, 1 }
  story.options.on_reconnect = function(_, unknown)
    local again = {}
    for _, entry in ipairs(unknown) do
      if random:chance(share) then
        story.ledger:returned(entry.message)
        again[#again + 1] = entry
      end
    end
    if random:chance(0.2) then
      require("beam").sleep(random:seconds(0.001, 30))
    end
    for _, entry in ipairs(again) do
      story.ledger:waits_again(entry.message, story.now())
    end
    if random:chance(0.02) then
      story:close()
    end
    return again
  end
end

local function add_retry(story)
  local random = story.random
  local policy = require("beam.retry").backoff {
    base = random:seconds(0.01, 2),
    max = random:seconds(1, 40),
    attempts = random:chance(0.3) and random:whole(0, 6) or nil,
    random = function()
      return random:next()
    end,
  }
  story.options.retry = function(attempt, err, conn)
    local seconds = policy(attempt, err, conn)
    if story.conn and random:chance(0.01) then
      story:close()
      return seconds
    end
    story:retrying(attempt, err, seconds)
    if seconds and random:chance(0.01) and not story.drop then
      require("beam").spawn(require("virtual.story.actors").race, story, seconds)
    end
    return seconds
  end
end

local function add_queue(story)
  local random = story.random
  if random:chance(0.05) then
    story.options.queue = false
    return
  end
  story.options.queue = {
    max = random:whole(1, 200),
    max_bytes = random:chance(0.2) and random:whole(200, 3000) or nil,
    ttl = random:chance(0.4) and random:seconds(0.05, 60) or nil,
    overflow = random:of { "error", "drop_oldest", "drop_newest" },
  }
end

local function add_liveness(story)
  local random, options = story.random, story.options
  if story.pings and random:chance(0.3) then -- who expects pings of an app that sends none makes an endless flapping
    options.stalled = random:chance(0.5) and { after = random:seconds(10, 60), reconnect = true } or random:seconds(10, 60)
  end
  options.ready_timeout = random:seconds(1, 960)
  options.connect_timeout = random:seconds(0.5, 10)
  options.close_timeout = random:seconds(0.1, 3)
end

--- Fills in story.options and what the story has to know of them.
function plan.make(story)
  local random = story.random
  story.options = {}
  function story.drops()
    return false
  end
  add_retry(story)
  add_queue(story)
  add_liveness(story)
  if random:chance(0.25) then
    add_outgoing(story)
  end
  if random:chance(0.25) then
    add_incoming(story)
  end
  if random:chance(0.6) then
    add_on_reconnect(story)
  end
  if random:chance(0.2) then
    story.options.rate = random:whole(1, 50)
  end
  if random:chance(0.15) and not story.outgoing then
    story.ledger.ordered = false
    story.options.coalesce = function(message)
      return type(message) == "table" and message.key or nil
    end
  end
  if random:chance(0.15) then
    add_connect(story)
  end
  if random:chance(0.1) then
    story.options.idle_timeout = random:seconds(5, 300)
  end
  if random:chance(0.1) then
    story.options.heartbeat, story.ledger.sees_pings = false, true
    story.options.stalled = nil
  end
  if random:chance(0.4) then
    story.options.inbox = { max = random:whole(1, 8) }
  end
end

return plan
