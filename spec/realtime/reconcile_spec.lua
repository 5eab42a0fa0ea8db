-- on_reconnect is asked what is sent again, and may take its time: what becomes of the messages if the connection ends
-- meanwhile, or if the answer makes no sense.
local beam = require "beam"
local log = require "beam.log"
local told = require "told_server"

describe("on_reconnect", function()
  local server, hooks, client, told_of
  before_each(function()
    hooks, told_of = {}, {}
    server = told.start(hooks)
    client = beam.client { token = false }
  end)
  after_each(function()
    server.close()
    log.to(nil)
  end)

  -- Loses the connection with one message in flight, and waits until the hook has been called.
  local function lose_one(hook)
    local called = false
    local conn = assert(client.realtime(server.url, {
      close_timeout = 0.05,
      retry = function(attempt)
        return attempt == 1 and 0.001 or nil
      end,
      on_outcome = function(message, _, outcome)
        told_of[#told_of + 1] = message.n .. " " .. outcome
      end,
      on_close = function()
        told_of[#told_of + 1] = "close"
      end,
      on_error = function(err)
        told_of[#told_of + 1] = err.kind
      end,
      on_reconnect = function(...)
        called = true
        return hook(...)
      end,
    }))
    assert(conn:send { n = 1 })
    hooks.ws:abort()
    told.eventually(function()
      return called
    end)
    return conn
  end

  it("is told at once that it cannot wait for what goes out when it has returned", function()
    local problems, answers = {}, {}
    local conn = lose_one(function(conn)
      problems[1] = select(2, pcall(conn.flush, conn))
      problems[2] = select(2, pcall(conn.request, conn, { n = 2 }))
      beam.spawn(function()
        answers[1] = conn:request({ n = 3 }, { timeout = 5 })
      end)
      hooks.on_message = told.echo
    end)
    told.eventually(function()
      return answers[1]
    end)
    assert.are.equal(3, answers[1].n)
    assert.is_truthy(tostring(problems[1]):find("conn:flush: on_reconnect would wait for itself", 1, true))
    assert.is_truthy(tostring(problems[2]):find("conn:request: on_reconnect would wait for itself", 1, true))
    assert.is_true(conn:flush(5))
    conn:close()
  end)

  it("that is asked while the connection is closed leaves nothing without an outcome", function()
    local answered = false
    local conn = lose_one(function(_, unknown)
      beam.sleep(0.1)
      answered = true
      return unknown
    end)
    assert.are.equal(1, conn:stats().unknown)
    conn:close()
    told.eventually(function()
      return answered
    end)
    beam.run()
    assert.are.same({ "1 unknown", "close" }, told_of)
    assert.are.same({ 1, 0 }, { conn:stats().unknown, conn:stats().queued })
  end)

  it("that answers what cannot be sent is reported, and its messages are unknown", function()
    local conn = lose_one(function()
      return { 7 }
    end)
    told.eventually(function()
      return #told_of == 2
    end)
    table.sort(told_of)
    assert.are.same({ "1 unknown", "script" }, told_of)
    conn:close()
    assert.are.equal(1, conn:stats().unknown)
  end)

  it("needs no other handler beside it", function()
    local asked
    local conn = assert(client.realtime(server.url, {
      retry = function()
        return 0.001
      end,
      on_reconnect = function(_, unknown)
        asked = #unknown
      end,
    }))
    assert.is_true(conn:send { n = 1 })
    hooks.ws:abort()
    told.eventually(function()
      return asked
    end)
    assert.are.equal(1, asked)
    conn:close()
  end)

  it("sends again what waited in the queue before, though the time that it had there is over", function()
    local came = {}
    function hooks.on_message(_, data)
      came[#came + 1] = data
    end
    local conn = assert(client.realtime(server.url, {
      wait = false,
      queue = { ttl = 0.2 },
      retry = function()
        return 0.3
      end,
      on_reconnect = function(_, unknown)
        return unknown
      end,
    }))
    assert(conn:send "a message")
    beam.spawn(conn.request, conn, "a request", { timeout = 0.2 })
    told.eventually(function()
      return #came == 2
    end)
    hooks.ws:abort()
    told.eventually(function()
      return conn:stats().reconnects == 1 and not conn:is_unsettled()
    end)
    assert.are.same({ "a message", "a request", "a message", "a request" }, came)
    assert.are.same({ 2, 0 }, { conn:stats().written, conn:stats().unknown })
    conn:close()
  end)

  it("is no reason to wait for ever: what it returns has its time in the queue anew, whether a connection comes or not", function()
    local losses = 0
    local conn = assert(client.realtime(server.url, {
      queue = { ttl = 0.05 },
      retry = function()
        losses = losses + 1
        return losses == 1 and 0.001 or 600
      end,
      on_outcome = function(message, _, outcome)
        told_of[#told_of + 1] = message.n .. " " .. outcome
      end,
      on_reconnect = function(conn, unknown)
        hooks.ws:abort()
        told.eventually(function()
          return conn.state == "waiting"
        end)
        return unknown
      end,
    }))
    assert(conn:send { n = 1 })
    hooks.ws:abort()
    told.eventually(function()
      return #told_of > 0
    end)
    assert.are.same({ "1 unknown" }, told_of)
    assert.are.equal("waiting", conn.state)
    conn:close()
  end)

  it("leaves nothing without an outcome where coalesce fails on what is sent again", function()
    local conn = assert(client.realtime(server.url, {
      retry = function()
        return 0.001
      end,
      coalesce = function()
        error("no key", 0)
      end,
      on_error = function(err)
        told_of[#told_of + 1] = tostring(err)
      end,
      on_outcome = function(message, _, outcome)
        told_of[#told_of + 1] = message.n .. " " .. outcome
      end,
      on_reconnect = function(_, unknown)
        return unknown
      end,
    }))
    assert(conn:send { n = 1 })
    hooks.ws:abort()
    told.eventually(function()
      return #told_of == 2
    end)
    assert.are.same({ "script: coalesce failed: no key", "1 written" }, told_of)
    conn:close()
  end)

  -- Opens a connection whose losses are noted: what on_reconnect is asked about.
  local function open_noting()
    local asked = {}
    local conn = assert(client.realtime(server.url, {
      retry = function()
        return 0.001
      end,
      on_outcome = function(message, _, outcome)
        told_of[#told_of + 1] = (message.n or message) .. " " .. outcome
      end,
      on_reconnect = function(_, unknown)
        for _, entry in ipairs(unknown) do
          asked[#asked + 1] = entry.message.n
        end
        asked.done = true
      end,
    }))
    return conn, asked
  end

  local function lose(asked)
    hooks.ws:abort()
    told.eventually(function()
      return asked.done
    end)
  end

  it("is not asked about a request that was answered, though nothing else proves that it arrived", function()
    hooks.on_message = told.echo
    local conn, asked = open_noting()
    for n = 1, 3 do
      assert(conn:request { n = n })
    end
    assert.are.same({}, told_of)
    lose(asked)
    assert.are.same({ done = true }, asked)
    assert.are.same({ "1 unknown", "2 unknown", "3 unknown" }, told_of)
    assert.are.same({ 0, 3, 0 }, { conn:stats().written, conn:stats().unknown, conn:stats().in_flight })
    conn:close()
  end)

  it("is not asked about what was sent before a request that was answered by its key", function()
    local held
    hooks.on_message = function(ws, data)
      if held and data:find '"id":2' then
        ws:send(data)
        ws:send(held)
      elseif data:find '"id":1' then
        held = data
      end
    end
    local conn, asked = open_noting()
    conn:send { n = 1 }
    local first = beam.spawn(conn.request, conn, { n = 2, id = 1 }, { key = "id" })
    assert.are.equal(3, conn:request({ n = 3, id = 2 }, { key = "id" }).n)
    assert.are.equal(2, first:join().n)
    conn:send { n = 4 }
    lose(asked)
    assert.are.same({ 4, done = true }, asked)
    conn:close()
  end)

  it("is asked about a request whose answer may be that to another message", function()
    hooks.on_message = function(ws, data)
      if data:find '"n":2' then
        ws:send '"of its own accord"'
      end
    end
    local conn, asked = open_noting()
    conn:send { n = 1 }
    assert.are.equal("of its own accord", (conn:request { n = 2 }))
    lose(asked)
    assert.are.same({ 1, 2, done = true }, asked)
    conn:close()
  end)
end)

describe("a message before the close frame", function()
  local server, hooks, told_of
  before_each(function()
    hooks, told_of = {}, {}
    server = told.start(hooks)
  end)
  after_each(function()
    server.close()
  end)

  local function open()
    return assert(beam.client({ token = false }).realtime(server.url, {
      retry = false,
      inbox = { max = 1 },
      on_outcome = function(message, _, outcome)
        told_of[#told_of + 1] = message.n .. " " .. outcome
      end,
    }))
  end

  it("is written if the peer has read it", function()
    local conn = open()
    conn:send { n = 1 }
    conn:close()
    beam.run()
    assert.are.same({ "1 written" }, told_of)
  end)

  it("is not proved by what comes of itself, where plain messages were answered before", function()
    hooks.on_message = told.echo
    local conn = assert(beam.client({ token = false }).realtime(server.url, {
      on_outcome = function(message, _, outcome)
        told_of[#told_of + 1] = message.n .. " " .. outcome
      end,
    }))
    conn:send { n = 1 }
    assert.are.same({ n = 1 }, conn:receive(5))
    assert(conn:flush(5))
    hooks.ws:pause()
    local asked = beam.spawn(conn.request, conn, { n = 2 }, { timeout = 5 })
    hooks.ws:send '"by itself"'
    assert.are.equal("by itself", (asked:join(5)))
    assert.are.same({ { "1 written" }, 1 }, { told_of, conn:stats().in_flight })
    hooks.ws:resume()
    assert(conn:flush(5))
    beam.step(0.01)
    assert.are.same({ "1 written", "2 written" }, told_of)
    conn:close()
    beam.run()
  end)

  it("is unknown if the peer had closed with the same code before it read it", function()
    local conn = open()
    hooks.ws:send "a message that fills the inbox, so that nothing more is read"
    told.eventually(function()
      return conn:stats().inbox == 1
    end)
    local gone = false
    function hooks.on_closed()
      gone = true
    end
    hooks.ws:close(1001)
    told.eventually(function() -- it waits two seconds for our answer
      return gone
    end)
    conn:send { n = 1 }
    conn:close(1001)
    beam.run()
    assert.are.same({ "1 unknown" }, told_of)
  end)
end)
