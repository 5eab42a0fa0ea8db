-- Messages that are kept in beam.core, and the three places of beam/realtime/arrivals.lua in their order.
local beam = require "beam"
local core = require "beam.core"
local driver = require "beam.driver"
local told = require "told_server"

describe("arrivals", function()
  local server, hooks
  before_each(function()
    hooks = {}
    server = told.start(hooks)
  end)
  after_each(function()
    server.close()
  end)

  describe("of the core", function()
    local new, take = core.arrivals(require "beam.json.values")
    local ws, events

    local function connect(kept)
      events = {}
      driver.attach()
      ws = assert(driver.context():websocket({ url = server.url .. "/", auth = { scheme = "none" }, arrivals = kept }, function(event, a, b)
        if event == "closed" then
          driver.detach()
        end
        if event ~= "phase" then
          events[#events + 1] = { event, a, b }
        end
      end))
      told.eventually(function()
        return hooks.ws and events[1]
      end)
      events = {}
    end

    local function names()
      local list = {}
      for i, event in ipairs(events) do
        list[i] = event[1]
      end
      return table.concat(list, " ")
    end

    local function close()
      ws:close()
      told.eventually(function()
        return names():find "closed"
      end)
    end

    it("are told once for many, and taken decoded", function()
      local kept = new(1000, 1e6, true)
      connect(kept)
      for _, text in ipairs { '{"n":1}', "plain", "null", " [] ", '{"type":"ping"}', '{ "type" : "ping" }', "{", "" } do
        hooks.ws:send(text)
      end
      hooks.ws:send_binary "\0\1"
      told.eventually(function()
        return kept:waiting() == 7
      end)
      assert.are.same({ 7, 2, false }, { kept:news() })
      assert.are.same({ 0, 0, false }, { kept:news() })
      local values, kinds = {}, {}
      assert.are.same({ 7, false }, { take(kept, values, kinds) })
      assert.are.same({ { n = 1 }, "plain", beam.null, {}, "{", "", "\0\1" }, values)
      assert.are.same({ "json", "text", "json", "json", "text", "text", "binary" }, kinds)
      assert.is_true(beam.is_array == nil or beam.is_array(values[4]))
      assert.are.equal(0, take(kept, values, kinds))
      assert.is_truthy(names():find "^arrived" and not names():find "message")
      close()
    end)

    it("stand before what is large, and before every other event", function()
      local kept = new(1000, 1e6, false)
      connect(kept)
      hooks.ws:send "1"
      hooks.ws:send(("x"):rep(20000))
      hooks.ws:send "2"
      hooks.ws:ping()
      told.eventually(function()
        return names():find "ping"
      end)
      local all = names()
      assert.is_truthy(all:find "^arrived.* message.* ping")
      assert.is_truthy(all:find "arrived ping$" or all:find "arrived message ping$" or all:find "arrived$")
      assert.are.same({ "1", "2" }, { (kept:pop()), (kept:pop()) })
      close()
    end)

    it("hold the peer back when they are full, until they are half empty", function()
      local kept, values, kinds = new(8, 1e6, false), {}, {}
      connect(kept)
      for n = 1, 20 do
        hooks.ws:send(tostring(n))
      end
      told.eventually(function()
        return select(3, kept:waiting())
      end)
      for _ = 1, 5 do
        driver.step(0.02)
      end
      assert.are.same({ 8, 8, true }, { kept:waiting() })
      local came = {}
      repeat
        local count, full = take(kept, values, kinds)
        for i = 1, count do
          came[#came + 1] = values[i]
        end
        assert.is_true(count <= 2)
        if not full then
          ws:resume()
          driver.step(0.02)
        end
      until #came == 20
      assert.are.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 }, came)
      close()
    end)

    it("are not told to who steps and looks for one himself, if one is all that came", function()
      local kept, values, kinds = new(1000, 1e6, false), {}, {}
      connect(kept)
      local function step_until_it_came()
        for _ = 1, 100 do
          local one = select(2, driver.context():step(0.05, kept))
          if one or events[1] then
            return one
          end
        end
      end
      hooks.ws:send "1"
      assert.is_true(step_until_it_came())
      assert.are.same({ "", 0, 1 }, { names(), (kept:news()), (kept:waiting()) })
      assert.is_false((select(2, driver.context():step(0.05, kept)))) -- it is not told twice
      assert.are.same({ "", 1 }, { names(), (take(kept, values, kinds)) })
      hooks.ws:send "2"
      hooks.ws:send "3"
      told.eventually(function()
        driver.context():step(0.05, kept)
        return kept:waiting() == 2
      end)
      assert.is_truthy(names():find "^arrived") -- of two, or of the second, as the first was not taken
      close()
    end)

    it("are told if one fills them, for reading is paused then", function()
      local kept = new(1000, 10, false)
      connect(kept)
      hooks.ws:send(('"%s"'):format(("x"):rep(20)))
      local one
      told.eventually(function()
        one = select(2, driver.context():step(0.05, kept))
        return kept:waiting() == 1
      end)
      assert.are.same({ false, "arrived" }, { one, names() })
      close()
    end)

    it("get nothing more after each(true), and after detach", function()
      local kept = new(8, 1e6, false)
      connect(kept)
      kept:each(true)
      hooks.ws:send "1"
      told.eventually(function()
        return names():find "message"
      end)
      kept:each(false)
      ws:detach()
      events = {}
      hooks.ws:send "2"
      told.eventually(function()
        return names():find "message"
      end)
      assert.are.same({ 0, 0, false }, { kept:waiting() })
      close()
    end)

    it("carry any number through, of all sizes", function()
      local kept, values, kinds = new(1024, 64 * 1024, false), {}, {}
      connect(kept)
      local expected, came = 0, 0
      local function check()
        local count, full = take(kept, values, kinds)
        for i = 1, count do
          came = came + 1
          assert.are.equal(came .. ("x"):rep(came % 700), values[i])
        end
        if not full then
          ws:resume()
        end
      end
      for n = 1, 3000 do
        hooks.ws:send_binary(n .. ("x"):rep(n % 700))
        expected = n
        if n % 50 == 0 then
          driver.step(0)
          check()
        end
      end
      told.eventually(function()
        check()
        return came == expected
      end)
      close()
    end)
  end)

  it("of a connection keep their order over large messages, requests and losses", function()
    hooks.on_message = told.echo
    local conn = assert(beam.client({ token = false }).realtime(server.url, {
      retry = function()
        return 0.001
      end,
    }))
    local function wait_for(count)
      told.eventually(function()
        return conn:stats().inbox == count
      end)
    end
    hooks.ws:send "1"
    hooks.ws:send "2"
    wait_for(2)
    assert.are.equal(1, (conn:receive(1)))
    hooks.ws:send(('"%s"'):format(("x"):rep(20000)))
    hooks.ws:send "4"
    wait_for(3)
    assert.are.equal("asked", (conn:request({ "asked" }, { timeout = 5 }))[1])
    hooks.ws:send "5"
    wait_for(4)
    hooks.ws:abort()
    told.eventually(function()
      return conn:stats().reconnects == 1
    end)
    hooks.ws:send "6"
    wait_for(5)
    local came = {}
    for i = 1, 5 do
      came[i] = conn:receive(1)
    end
    assert.are.same({ 2, ("x"):rep(20000), 4, 5, 6 }, came)
    assert.are.same({ 7, 0, 0 }, { conn:stats().received, conn:stats().inbox, conn:stats().inbox_bytes })
    conn:close()
  end)
end)
