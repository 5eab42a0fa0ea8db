-- Forced drops under a steady stream of numbered messages: a close frame, a TCP close, a reset, silence, one after the other. Then the
-- accounts are closed (accounts.lua).
local beam = require "beam"
local driver = require "beam.driver"
local new_accounts = require("tests.realtime.accounts").new
local peers = require "tests.realtime.peers"

local drops = {}

local kinds = { "frame", "tcp", "reset", "silence" }

local function wait_until(condition, what)
  local deadline = driver.now() + 20
  while not condition() do
    assert(driver.now() < deadline, what .. " did not happen within 20 s")
    beam.sleep(0.002)
  end
end

-- Sends some messages each millisecond or so until `state.stop`.
local function stream(conn, accounts, state)
  while not state.stop do
    for _ = 1, math.random(3) do
      assert(conn:send(accounts:next()))
    end
    beam.sleep(0.001)
  end
end

-- What the app answers is read and not looked at: the answers to what was lost are lost too.
local function read_on(conn)
  while conn:receive() do
  end
end

--- options: server ("local_beam" or "uvicorn"), drops, policy ("report": what is unknown stays so; "again": it is all sent again).
--- Returns the figures and a list of what is wrong.
function drops.run(options)
  local peer, accounts, state = peers[options.server](), new_accounts(), { opened = 0 }
  local conn = assert(beam.realtime {
    url = peer.url,
    token = peer.token,
    retry = require("beam.retry").backoff { base = 0.01, max = 0.05 },
    heartbeat = { ping_after = 0.1, dead_after = 0.1, task_timeout = 0.1 },
    queue = { max = 100000 },
    on_phase = function(phase)
      state.opened = state.opened + (phase == "ready" and 1 or 0)
    end,
    on_outcome = function(message, _, outcome)
      accounts:outcome(message, outcome)
    end,
    on_reconnect = function(_, unknown)
      return options.policy == "again" and accounts:send_again(unknown) or {}
    end,
  })
  local sender, reader = beam.spawn(stream, conn, accounts, state), beam.spawn(read_on, conn)
  local began, done = driver.now(), 0
  while done < options.drops do
    wait_until(function()
      return state.opened > done
    end, "coming back after drop " .. done)
    beam.sleep(0.1 * math.random())
    if peer.drop(kinds[done % #kinds + 1]) > 0 then
      done = done + 1
    end
  end
  wait_until(function()
    return state.opened > done
  end, "coming back after the last drop")
  state.stop = true
  local _, err = sender:join(10)
  assert(not err, err)
  conn:flush(10)
  local seconds = driver.now() - began
  conn:close()
  reader:join(5)
  beam.sleep(0.1)
  peer.collect(accounts)
  peer.close()
  local figures, problems = accounts:close()
  figures.seconds = seconds
  return figures, problems
end

return drops
