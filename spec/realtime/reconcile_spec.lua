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
