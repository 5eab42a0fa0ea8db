-- A codec that a client was given, in calls, streams, tasks and connections.
local beam = require "beam"
local json = require "beam.json"

describe("beam.client { json = }", function()
  local server, seen

  setup(function()
    local app = require("beam.serve").new()
    app.realtime("echo", function(text)
      return text
    end)
    app.endpoint("echo", function(input)
      return input
    end)
    app.endpoint("nothing", function()
      return json.null
    end)
    app.endpoint("count", function()
      local n = 0
      return function()
        n = n + 1
        return n <= 2 and { n = n } or nil
      end
    end)
    app.task_queue("echo", function(input)
      return input
    end)
    server = assert(app.listen { pause = 0, log = function() end })
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    seen = { encode = 0, decode = 0 }
  end)

  -- Ours, counted, with a mark in every object, and without arrays of ours.
  local codec = {}
  function codec.encode(value)
    seen.encode = seen.encode + 1
    return json.encode(value)
  end
  function codec.decode(text)
    seen.decode = seen.decode + 1
    local value, problem = json.decode(text)
    if type(value) == "table" then
      value.mark = true
    end
    return value, problem
  end

  local function client_of(chosen)
    return beam.client { gateway = server.url, token = false, json = chosen }
  end

  it("reads and writes calls, streams, tasks and messages", function()
    local client = client_of(codec)
    assert.are.same({ x = 1, mark = true }, assert(client.call("echo", { x = 1 })))
    assert.are.same({ encode = 1, decode = 1 }, seen)
    local items = {}
    for item in assert(client.stream "count") do
      items[#items + 1] = item
    end
    assert.are.same({ { n = 1, mark = true }, { n = 2, mark = true } }, items)
    for _, result in client.map("echo", { { x = 5 } }) do
      assert.are.same({ x = 5, mark = true }, result)
    end
    local task = assert(client.submit("echo", { x = 2 }))
    assert.are.same({ x = 2, mark = true }, (task:result(10)))
    local conn = assert(client.realtime "echo")
    assert.are.same({ x = 3, mark = true }, conn:request({ x = 3 }, { timeout = 5 }))
    assert(conn:send { x = 4 })
    assert.are.same({ x = 4, mark = true }, conn:receive(5))
    conn:close()
  end)

  it("is asked by no other client", function()
    assert.are.same({ x = 1 }, client_of(nil).call("echo", { x = 1 }))
    assert.are.same({ encode = 0, decode = 0 }, seen)
  end)

  it("fails by raising or by nil and a message: an error of kind json", function()
    for _, how in ipairs { "raises", "returns" } do
      local function fail()
        if how == "raises" then
          error("not today", 0)
        end
        return nil, "not today"
      end
      local _, err = client_of({ encode = fail, decode = codec.decode }).call("echo", { x = 1 })
      assert.are.same({ "json", "no" }, { err.kind, err.executed })
      assert.is_truthy(err.message:find("cannot be written as JSON: not today", 1, true), err.message)
      _, err = client_of({ encode = codec.encode, decode = fail }).call("echo", { x = 1 })
      assert.are.same({ "json", "yes" }, { err.kind, err.executed })
      assert.is_truthy(err.message:find("not today", 1, true), err.message)
      local conn = assert(client_of({ encode = fail, decode = codec.decode }).realtime "echo")
      _, err = conn:send { x = 1 }
      assert.are.equal("json", err.kind)
      conn:close()
    end
  end)

  it("reads every message of those that came together", function()
    local conn = assert(client_of(codec).realtime "echo")
    for n = 1, 3 do
      assert(conn:send { n = n })
    end
    repeat
      beam.sleep(0.01)
    until conn:stats().inbox == 3
    for n = 1, 3 do
      assert.are.same({ n = n, mark = true }, (assert(conn:receive(10))))
    end
    conn:close()
  end)

  it("may have nil for null, as dkjson has", function()
    local chosen = { encode = codec.encode, null = "nothing", decode = function(text)
      if text:find "null" then
        return nil, 5
      end
      return codec.decode(text)
    end }
    assert.are.equal("nothing", (client_of(chosen).call("nothing", {})))
  end)

  it("has two functions", function()
    for _, wrong in ipairs { {}, { encode = codec.encode }, { encode = codec.encode, decode = 1 } } do
      assert.has_error(function()
        client_of(wrong)
      end)
    end
    assert.has_error(function()
      client_of "cjson"
    end)
  end)

  it("may be lua-cjson, raising or safe", function()
    for _, name in ipairs { "cjson", "cjson.safe" } do
      local found, cjson = pcall(require, name)
      if found then
        local client = client_of(cjson)
        assert.are.same({ list = { 1, 2 } }, assert(client.call("echo", { list = { 1, 2 } })))
        local _, err = client.call("echo", { f = print })
        assert.are.same({ "json", "no" }, { err.kind, err.executed })
      end
    end
  end)
end)
