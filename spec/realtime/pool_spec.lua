-- Pools, against the local Beam and a server that does what it is told.
local beam = require "beam"
local driver = require "beam.driver"
local json = require "beam.json"
local log = require "beam.log"
local serve = require "beam.serve"

-- A WebSocket server on the core that answers each message with { message, by = number of its connection } after `delay`
-- seconds. sockets[i] is the i-th connection; `reject` a status that refuses further ones.
local function start_server()
  local self = { sockets = {}, handled = {}, rejected = 0, delay = 0, delayed = {} }
  local function answer(number, data)
    self.handled[#self.handled + 1] = json.decode(data).n
    local ws = self.sockets[number]
    local text = json.encode { message = json.decode(data), by = number }
    if self.delay == 0 then
      ws:send(text)
    else
      self.delayed[#self.delayed + 1] = driver.context():timer(self.delay, function()
        ws:send(text)
      end)
    end
  end
  local core
  core = assert(driver.context():server({}, function(request)
    if self.reject then
      self.rejected = self.rejected + 1
      return request:respond(self.reject, {}, "")
    end
    driver.attach()
    local number = #self.sockets + 1
    self.sockets[number] = assert(request:accept({}, function(event, data)
      if event == "message" then
        answer(number, data)
      elseif event == "closed" then
        driver.detach()
      end
    end))
  end))
  driver.attach()
  self.url = "ws://127.0.0.1:" .. core:port()
  function self.close()
    core:close()
    driver.detach()
  end
  return self
end

-- Turns the loop until `condition` holds; fails after 30 s.
local function eventually(condition)
  local deadline = driver.now() + 30
  while not condition() do
    assert(driver.now() < deadline, "it did not happen within 30 s")
    beam.step(0.02)
  end
end

local function values_of(set)
  local list = {}
  for value in pairs(set) do
    list[#list + 1] = value
  end
  table.sort(list)
  return list
end

describe("pool", function()
  local server, client, pool, lines
  before_each(function()
    lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    server = start_server()
    client = beam.client { token = false }
  end)
  after_each(function()
    if pool then
      pool:close()
      pool = nil
    end
    server.close()
    beam.run()
    log.to(nil)
    assert.are.same({}, lines)
  end)

  local function open(size, options)
    options = options or {}
    options.size = size
    pool = assert(client.pool(server.url, options))
    eventually(function()
      return pool:stats().open == size
    end)
  end

  -- `count` requests at once; returns the tasks.
  local function ask(count, options)
    local tasks = {}
    for n = 1, count do
      tasks[n] = beam.spawn(pool.request, pool, { n = n }, options or { timeout = 5 })
    end
    return tasks
  end

  it("spreads requests over its connections", function()
    open(3)
    server.delay = 0.02
    local served = {}
    for n, task in ipairs(ask(9)) do
      local answer = assert(task:join(5))
      assert.are.equal(n, answer.message.n)
      served[answer.by] = (served[answer.by] or 0) + 1
    end
    assert.are.same({ 3, 3, 3 }, served)
    for _ = 1, 3 do -- one at a time: in turn
      local answer = assert(pool:request { n = 0 })
      served[answer.by] = served[answer.by] + 1
    end
    assert.are.same({ 4, 4, 4 }, served)
    local figures = pool:stats()
    assert.are.same({ 3, 3, 0, 12, 12, 0 },
      { figures.size, figures.open, figures.lost, figures.sent, figures.received, figures.waiting_requests })
  end)

  it("gives a request to the connection with the fewest", function()
    open(2)
    server.delay = 0.1
    local slow = ask(1)[1]
    eventually(function()
      return #server.handled == 1
    end)
    local busy
    server.delay = 0
    for n = 2, 4 do
      local answer = assert(pool:request { n = n })
      busy = busy or 3 - answer.by
      assert.are.equal(3 - busy, answer.by)
    end
    assert.are.equal(busy, slow:join(5).by)
  end)

  it("opens four connections unless told otherwise, and returns as soon as one is open", function()
    local app = serve.new()
    app.realtime("one", function(text)
      return text
    end, { connections = 1 })
    local beam_server = assert(app.listen { pause = 0, log = function() end })
    local only_one = beam.client { gateway = beam_server.url, token = false }
    pool = assert(only_one.pool "one")
    assert.are.same({ 4, 1 }, { pool:stats().size, pool:stats().open })
    for i = 1, 5 do
      assert.are.same({ n = i }, (pool:request({ n = i }, { timeout = 5 })))
    end
    pool:close() -- those that wait in the handshake too
    pool = nil
    beam.run(function()
      beam_server:close()
    end)
  end)

  it("survives the loss of a connection in the middle of requests", function()
    open(3)
    server.delay = 0.05
    local tasks = ask(9)
    eventually(function()
      return #server.handled == 9
    end)
    server.sockets[2]:abort()
    local lost, answered = 0, 0
    for _, task in ipairs(tasks) do
      local answer, err = task:join(5)
      if answer then
        answered = answered + 1
      else
        lost = lost + 1
        assert.are.same({ "closed", "unknown" }, { err.kind, err.executed })
      end
    end
    assert.are.same({ 6, 3 }, { answered, lost })
    server.delay = 0
    for n = 10, 20 do
      assert.are.equal(n, assert(pool:request({ n = n }, { timeout = 5 })).message.n)
    end
    eventually(function()
      return pool:stats().open == 3
    end)
    assert.are.same({ 0, 1 }, { pool:stats().lost, pool:stats().reconnects })
    assert.are.equal(20, #server.handled) -- nothing was sent twice
  end)

  it("waits for a connection when it has lost all, and loses no request that was not sent", function()
    open(3)
    for _, ws in ipairs(server.sockets) do
      ws:close(1001, "going away")
    end
    local tasks = ask(6)
    local sent_before = 0
    for _, task in ipairs(tasks) do
      local answer, err = task:join(10)
      if not answer then
        assert.are.equal("unknown", err.executed)
        sent_before = sent_before + 1
      end
    end
    for n = 7, 12 do
      assert.are.equal(n, assert(pool:request({ n = n }, { timeout = 5 })).message.n)
    end
    assert.is_true(#server.handled >= 12 - sent_before and #server.handled <= 12)
    eventually(function()
      return pool:stats().open == 3
    end)
  end)

  it("replaces connections that the server has closed in good order", function()
    open(2)
    assert.are.equal(0, assert(pool:request { n = 0 }).message.n)
    for _, ws in ipairs(server.sockets) do
      ws:close(1000, "enough")
    end
    eventually(function()
      return pool:stats().lost == 2
    end)
    assert.are.equal(1, assert(pool:request({ n = 1 }, { timeout = 5 })).message.n)
    eventually(function()
      return pool:stats().open == 2
    end)
    assert.are.same({ 2, 2, 2 }, { pool:stats().lost, pool:stats().sent, pool:stats().received })
  end)

  it("tries again where a connection could not be made for a reason that passes", function()
    open(1, { retry = false })
    server.reject = 503
    server.sockets[1]:close(1000, "")
    eventually(function()
      return pool:stats().open == 0
    end)
    local waiting = ask(1)[1]
    eventually(function()
      return server.rejected > 0
    end)
    server.reject = nil
    assert.are.equal(1, assert(waiting:join(5)).message.n)
  end)

  it("asks another connection when one is lost before it has sent", function()
    local first
    open(2, {
      outgoing = function(message, conn)
        if not first then
          first = conn
          conn:close()
        end
        return message
      end,
    })
    assert.are.equal(1, assert(pool:request({ n = 1 }, { timeout = 5 })).message.n)
    assert.are.same({ "closed", 1, 1 }, { first.state, #server.handled, pool:stats().lost })
  end)

  it("gives up when the server refuses for good, and says why", function()
    open(2)
    server.reject = 404
    for _, ws in ipairs(server.sockets) do
      ws:close(1000, "")
    end
    eventually(function()
      return pool:stats().lost == 2
    end)
    local answer, err = pool:request({ n = 1 }, { timeout = 5 })
    assert.is_nil(answer)
    assert.are.same({ "handshake", 404, "no" }, { err.kind, err.status, err.executed })
  end)

  it("has no time but the caller's, the wait for a connection included", function()
    open(1)
    server.delay = 0.3
    local answer, err = pool:request({ n = 1 }, { timeout = 0.02 })
    assert.is_nil(answer)
    assert.are.same({ "timeout", "unknown" }, { err.kind, err.executed })
    server.reject, server.delay = 503, 30
    server.sockets[1]:abort()
    eventually(function()
      return pool:stats().open == 0
    end)
    local start = driver.now()
    local waiting = ask(1, { timeout = 2 })[1]
    beam.sleep(0.3)
    server.reject = nil
    answer = waiting:join(25)
    assert.is_nil(answer)
    local took = driver.now() - start -- the answer takes 30 s
    assert.is_true(took > 1.9 and took < 20, took)
  end)

  it("sends in turn, and hands on what comes", function()
    local got, by = {}, {}
    open(2, {
      on_message = function(message)
        got[message.message.n] = true
        by[message.by] = (by[message.by] or 0) + 1
      end,
    })
    for n = 1, 6 do
      assert.is_true(pool:send { n = n })
    end
    eventually(function()
      return #values_of(got) == 6
    end)
    assert.are.same({ 3, 3 }, by)
  end)

  it("refuses when it is closed, and closes twice", function()
    open(2)
    assert.is_true(pool:close(1000, "bye"))
    assert.is_true(pool:close())
    assert.are.equal("beam.pool of 2 connections (closed)", tostring(pool))
    local answer, err = pool:request { n = 1 }
    assert.is_nil(answer)
    assert.are.same({ "closed", "no", false }, { err.kind, err.executed, err.retryable })
    assert.are.equal("closed: a message of a pool was not sent: the pool is closed", tostring(err))
    local sent, problem = pool:send { n = 1 }
    assert.is_nil(sent)
    assert.are.equal("closed", problem.kind)
    assert.are.same({ 2, 0 }, { pool:stats().size, pool:stats().open })
  end)

  it("wakes who waits for a connection when it is closed", function()
    open(1)
    server.reject = 503
    server.sockets[1]:close(1000, "")
    eventually(function()
      return pool:stats().open == 0
    end)
    local waiting = ask(1, { timeout = 30 })[1]
    pool:close()
    local answer, err = waiting:join(1)
    assert.is_nil(answer)
    assert.are.equal("closed: a message of a pool was not sent: the pool is closed", tostring(err))
  end)

  it("that cannot be opened says why", function()
    server.reject = 404
    local none, err = client.pool(server.url, { size = 3 })
    assert.is_nil(none)
    assert.are.same({ "handshake", 404 }, { err.kind, err.status })
  end)

  it("raises for mistakes", function()
    local function message(...)
      local ok, err = pcall(client.pool, ...)
      assert.is_false(ok)
      return (tostring(err):gsub("^[^ ]*:%d+: ", ""))
    end
    for _, size in ipairs { 0, 1.5, 1001, "4" } do
      assert.are.equal("beam.pool: size is a whole number from 1 to 1000", message(server.url, { size = size }))
    end
    assert.are.equal("beam.realtime: unknown option 'onmessage'; did you mean 'on_message'?", message { server.url, onmessage = print })
    assert.are.equal("beam.realtime: option 'retry' cannot be a number", message({ server.url, retry = 7 }, { size = 2 }))
    open(1)
    local function refused(...)
      local _, err = pcall(pool.request, pool, ...)
      return tostring(err):match "pool_spec.lua:%d+: (.*)" -- the caller's own line
    end
    assert.are.equal("pool:request wants a table or a string, not a number", refused(7))
    assert.are.equal("pool:request: the options are a table, { name = value }, not a number", refused("x", 5))
    assert.are.equal("pool:request: option 'timeout' wants a number of seconds, 0 or more, not a string", refused("x", { timeout = "5" }))
    local ok, err = pcall(pool.close, pool, 99)
    assert.is_truthy(not ok and err:find "pool_spec.lua:%d+: pool:close: the code is 1000, 1001, ")
    ok, err = pcall(pool.close, pool, 1000, "a\0b")
    assert.is_truthy(not ok and err:find "pool_spec.lua:%d+: pool:close: the reason is a string of up to 123 bytes, without NUL")
    assert.is_false(pool.closed)
  end)

  it("does not keep a program from ending, and closes what nobody holds any more", function()
    open(2)
    beam.run()
    pool = nil
    collectgarbage()
    collectgarbage()
    local closed = 0
    eventually(function()
      closed = 0
      for _, ws in ipairs(server.sockets) do
        closed = closed + (ws:send "x" and 0 or 1)
      end
      return closed == 2
    end)
  end)
end)
