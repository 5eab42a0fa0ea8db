-- The client of a story: what its script does with the connection, each actor in a coroutine of its own, until the story is
-- calm. An actor holds the connection only while it calls it: a story may let it be collected.
local beam = require "beam"
local json = require "beam.json"

local actors = {}

-- Whether there is a connection, and not only an attempt at one.
local function has_connection(story)
  while not story.conn and not story.opened do
    beam.sleep(0.01)
  end
  return story.conn ~= nil
end

local function busy(story)
  return has_connection(story) and not story.calm and story.conn and story.conn.state ~= "closed"
end

-- It is open, or never will be.
function actors.opener(story)
  local client = assert(beam.client { token = false })
  local conn, err = client.realtime(story.peer.url, story.options)
  story.opened = true
  story:met(conn)
  if not conn and not err then
    story.ledger.fail "the connection could not be opened, and nobody says why"
  elseif not conn and story.conn and story.conn.state ~= "closed" then
    story.ledger.fail("the connection could not be opened, and is %s", story.conn.state)
  end
end

local function pause(story, longest)
  beam.sleep(story.random:chance(0.3) and 0 or story.random:seconds(0.001, longest))
end

-- ---- Sending ----

local function parts_of(story, id)
  return story.outgoing and story.outgoing(id) or 1
end

function actors.message(story)
  local entry = story.ledger:new_message(1)
  local message = { id = entry.id }
  entry.parts = parts_of(story, entry.id)
  if story.options.coalesce then
    message.key = story.random:whole(1, 3)
  end
  if story.random:chance(0.1) then
    message.pad = ("x"):rep(story.random:whole(1, story.random:chance(0.1) and 60000 or 300))
  end
  return message, entry
end

function actors.send(story)
  local message, entry = actors.message(story)
  local ok, err
  if not story.outgoing and not story.options.coalesce and story.random:chance(0.1) then
    ok, err = story.conn:send_binary("id=" .. entry.id)
  elseif not story.outgoing and not story.options.coalesce and story.random:chance(0.1) then
    entry.text = true
    ok, err = story.conn:send(json.encode(message))
  else
    ok, err = story.conn:send(message)
  end
  story.ledger:taken(entry, ok, err, story.now())
end

local function send_some(story)
  for _ = 1, story.random:chance(0.7) and 1 or story.random:whole(2, 30) do
    if busy(story) then
      actors.send(story)
    end
  end
end

local function flush(story)
  local ok, err = story.conn:flush(story.random:seconds(0.01, 60))
  story.trace("client: flush -> %s", tostring(ok or err))
end

function actors.writer(story)
  local pace, left = story.random:seconds(0.01, 20), 60
  while busy(story) and left > 0 do
    left = left - 1
    if story.random:chance(0.05) then
      flush(story)
    else
      send_some(story)
    end
    pause(story, pace)
  end
end

-- ---- Asking ----

function actors.asker(story)
  while busy(story) do
    local message, entry = actors.message(story)
    local timeout = story.random:seconds(0.01, 90)
    message.wants = true
    entry.request = true
    local start = story.now()
    local answer, err = story.conn:request(message, { timeout = timeout, key = story.keyed and "id" or nil })
    if story.now() - start > timeout + 0.1 and not (story.outgoing or story.jumped) then
      story.ledger.fail("request %d ended after %g s, and its time-out is %g s", entry.id, story.now() - start, timeout)
    end
    story.trace("client: request %d -> %s", entry.id, tostring(answer ~= nil and "answered" or err))
    if answer ~= nil then
      story.ledger:got(answer, "answer")
      if story.keyed and answer.id ~= entry.id then
        story.ledger.fail("request %d got the answer to %s", entry.id, tostring(answer.id))
      end
    elseif not err then
      story.ledger.fail("request %d has no answer and no error", entry.id)
    end
    pause(story, 20)
  end
end

-- ---- Reading ----

-- One that pauses between messages holds the server back.
function actors.reader(story)
  local slow, random = story.random:chance(0.3), story.random
  while has_connection(story) do
    local message, err = story.conn:receive(random:chance(0.1) and random:seconds(0.001, 1) or random:seconds(1, 100))
    if message ~= nil then
      story.ledger:got(message, "read")
    elseif not err then
      story.ledger.fail "receive gave neither a message nor an error"
    elseif story.conn.state == "closed" and err == story.conn.err then
      story.read_to_the_end = true
      return
    elseif err.kind ~= "timeout" and err.kind ~= "transform" then
      story.ledger.fail("receive failed with %s, and the connection is %s", tostring(err), story.conn.state)
    end
    if slow and not story.calm then
      pause(story, 5)
    end
  end
end

-- ---- The end ----

function actors.closer(story)
  beam.sleep(story.random:seconds(0.001, story.length))
  if busy(story) then
    story:close()
  end
end

--- Closes it when its next attempt is due.
function actors.race(story, seconds)
  beam.sleep(seconds)
  if busy(story) then
    story:close()
  end
end

function actors.dropper(story)
  beam.sleep(story.random:seconds(0.001, story.length))
  while not story.opened do
    beam.sleep(1)
  end
  story.trace "client: lets go of the connection"
  story.conn, story.collected = nil, true
  collectgarbage()
  collectgarbage()
end

return actors
