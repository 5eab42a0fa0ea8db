-- What tests/hosts/nginx/nginx_test.py asks a worker of nginx to do, by path. Answers are JSON.
local beam = require "beam"
local cjson = require "cjson"

local app = {}

local settings = { url = os.getenv "BEAM_TEST_URL", secure = os.getenv "BEAM_TEST_SECURE_URL", ca = os.getenv "BEAM_TEST_CA" }
local token = { token = "test-token" }
local opening -- the task that opens the pool
local noted = {} -- what phases without an answer of their own found, by name

local function note(name, fn, ...)
  local ok, result = pcall(fn, ...)
  noted[name] = ok and "ok" or tostring(result)
end

-- Both kinds of wait, as each phase tries them.
local function wait_a_little()
  local slept, problem = pcall(beam.sleep, 0.001)
  local waited, same_problem = pcall(function()
    require("beam.driver").signal():wait(0.001)
  end)
  assert(slept == waited and problem == same_problem)
  if not slept then
    error(problem, 0)
  end
end

local function open_pool()
  local pool, err = beam.pool(settings.url, { token = "test-token", size = 4 })
  return pool or error(err, 0)
end

-- One pool for the requests of this worker.
local function pool()
  opening = opening or beam.spawn(open_pool)
  return assert(opening:join(20))
end

local function round_trip(url, options)
  local conn = assert(beam.realtime(url, options or token))
  local answer = assert(conn:request({ n = 1 }, { timeout = 20 }))
  conn:close()
  return answer
end

-- ---- Phases ----

function app.init_worker()
  local setup = os.getenv "BEAM_TEST_SETUP"
  if setup == "none" then
    return
  end
  if setup == "agent" then
    require("ngx.process").type = function()
      return "privileged agent"
    end
    setup = nil
  end
  noted.worker = beam.setup { watch = setup, drain = 20 }
  note("init_worker", wait_a_little)
  if noted.worker then
    opening = beam.spawn(open_pool)
    ngx.timer.at(0, function()
      note("timer", round_trip, settings.url)
    end)
  end
end

for _, name in ipairs { "set", "header_filter", "body_filter", "log", "balancer" } do
  app[name] = function()
    note(name, wait_a_little)
    return "x"
  end
end

for _, name in ipairs { "rewrite", "access", "ssl_certificate" } do
  app[name] = function()
    note(name, round_trip, settings.url)
  end
end

-- ---- Requests ----

local get = {}

function get.echo()
  return round_trip(settings.url)
end

function get.secure()
  return round_trip(settings.secure, { token = "test-token", tls = { ca_file = settings.ca } })
end

function get.watched()
  return { watched = require("beam.driver").watched(), pid = ngx.worker.pid() }
end

function get.noted()
  return noted
end

function get.phases()
  local thread = ngx.thread.spawn(round_trip, settings.url)
  noted.thread = select(2, ngx.thread.wait(thread)).response and "ok"
  noted.content = round_trip(settings.url).response and "ok"
  return noted
end

function get.ask()
  local answer, err = pool():request({ n = tonumber(ngx.var.arg_n), pad = ngx.var.arg_pad }, { timeout = 20 })
  return answer or { error = tostring(err) }
end

-- ---- Requests that are alone on their connection, each the first to hear of what comes: until somebody else has to do with it ----

local nothing = { ["do"] = "none" } -- a handler that never answers

local function heard_once()
  local conn = assert(beam.realtime(settings.url, token))
  assert(conn:request({ n = 0 }, { timeout = 20 }))
  return conn
end

local function ask(conn, n)
  return assert(conn:request({ n = n }, { timeout = 20 })).response.n
end

function get.together()
  local conn, threads, answers = heard_once(), {}, {}
  for n = 1, 3 do
    threads[n] = ngx.thread.spawn(ask, conn, n)
  end
  for n = 1, 3 do
    answers[n] = select(2, ngx.thread.wait(threads[n]))
  end
  conn:close()
  return answers
end

function get.side_by_side()
  local here, there = heard_once(), heard_once()
  local thread = ngx.thread.spawn(here.request, here, nothing, { timeout = 0.5 })
  local answers = { ask(there, 1), ask(there, 2) }
  local _, _, err = ngx.thread.wait(thread)
  here:close()
  there:close()
  return { answers = answers, error = err.kind }
end

function get.closed()
  local conn, started = heard_once(), ngx.now()
  ngx.thread.spawn(function()
    ngx.sleep(0.02)
    conn:close()
  end)
  local _, err = conn:request(nothing, { timeout = 20 })
  ngx.update_time()
  return { error = err.kind, late = ngx.now() - started > 10 }
end

function get.killed()
  local here, there = heard_once(), heard_once()
  local thread = ngx.thread.spawn(here.request, here, nothing, { timeout = 20 })
  ngx.thread.kill(thread)
  collectgarbage()
  local answers = { ask(there, 1), ask(there, 2) }
  here:close()
  there:close()
  return answers
end

-- A handler that never answers.
local asked = 0
function get.silent()
  asked = asked + 1
  local message = { ["do"] = "none", id = ("%d-%d"):format(ngx.worker.pid(), asked) }
  local answer, err = pool():request(message, { timeout = tonumber(ngx.var.arg_seconds), key = "id" })
  return answer or { error = err.kind }
end

-- One that takes its time.
function get.late()
  return assert(pool():request { sleep = tonumber(ngx.var.arg_seconds) })
end

-- A connection of the request's own, which is aborted while it waits.
function get.own()
  local conn = assert(beam.realtime(settings.url, { token = "test-token", incoming = function(message) return message end }))
  conn:send { ["do"] = "none" }
  conn:receive(60)
  return {}
end

-- Through a transform that waits, in which the request is aborted.
local slow
function get.slow()
  slow = slow
    or assert(beam.realtime(settings.url, {
      token = "test-token",
      outgoing = function(message)
        ngx.sleep(message.sleep or 0)
        return message
      end,
    }))
  return (assert(slow:request({ sleep = tonumber(ngx.var.arg_sleep) }, { timeout = 20 })))
end

function get.call()
  local result = assert(beam.call(settings.url:gsub("^ws", "http") .. "endpoint/multiply", { x = 21 }, token))
  return result
end

function get.gc()
  collectgarbage()
  collectgarbage()
  return { waiting = require("beam.driver.nginx.waiting").count(), kilobytes = collectgarbage "count", pool = pool():stats() }
end

-- Coroutines as everywhere else: the test compares with what plain Lua gives.
function get.coroutines()
  local order = {}
  local function add(text)
    order[#order + 1] = text
  end
  local function step(name, seconds)
    beam.sleep(seconds)
    add(name)
    return name
  end
  local slow_one, fast_one = beam.spawn(step, "slow", 0.05), beam.spawn(step, "fast", 0.01)
  local late, err = slow_one:join(0.001)
  add(tostring(late) .. " " .. err.kind)
  add(fast_one:join() .. " " .. slow_one:join())
  local failed, why = beam.spawn(error, "no"):join()
  add(tostring(failed) .. " " .. why.kind)
  add(ngx.thread.kill(ngx.thread.spawn(beam.sleep, 1e300)) and "asleep" or "over")
  add(beam.run(function()
    beam.spawn(step, "spawned", 0.02)
    return "main"
  end))
  local ok, raised = pcall(beam.run, function()
    error("early", 0)
  end)
  add(tostring(ok) .. " " .. raised.message)
  return order
end

-- Handlers go on after the request that set them up.
local heard = {}
function get.handlers()
  if not heard.conn then
    heard.count = 0
    heard.conn = assert(beam.realtime(settings.url, {
      token = "test-token",
      on_message = function()
        ngx.sleep(0.001)
        heard.count = heard.count + 1
      end,
    }))
    for i = 1, 10 do
      heard.conn:send { n = i }
    end
  end
  return { count = heard.count }
end

function get.sort()
  local _, problem = pcall(table.sort, { 3, 2, 1 }, wait_a_little)
  return { error = tostring(problem) }
end

function app.content()
  local name = ngx.var.uri:sub(2)
  ngx.header.content_type = "application/json"
  ngx.say(cjson.encode((get[name]())))
end

return app
