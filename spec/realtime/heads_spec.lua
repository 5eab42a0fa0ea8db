-- Heads of answers as servers and proxies on the way write them (tests/hosts/heads.py): what opens, what is refused with which words.
local beam = require "beam"
local hosts = require "hosts"

describe("the opening handshake", function()
  local here, client
  setup(function()
    here = hosts.start_heads()
    client = beam.client { token = false }
  end)
  teardown(function()
    hosts.stop(here)
  end)

  local function open(path, options)
    options = options or {}
    options.retry, options.ready_timeout, options.connect_timeout = false, 30, 30
    return client.realtime("ws://127.0.0.1:" .. here.server .. "/" .. path, options)
  end

  local function opens(path, options)
    local conn = assert(open(path, options))
    assert.same({ hello = 1 }, conn:receive(30))
    conn:close()
  end

  local function refused(path, text, status, options)
    local before = os.time()
    local conn, err = open(path, options)
    assert.is_nil(conn)
    assert.same({ "handshake", "upgrade", status }, { err.kind, err.phase, err.status })
    assert.truthy(tostring(err):find(text, 1, true), tostring(err))
    assert.is_true(os.time() - before < 20, "not told at once")
    return err
  end

  for _, path in ipairs {
    "plain", "interim", "interim-apart", "interim-32", "length-0", "length-12", "chunked", "connections", "empty-elements", "upgrades", "no-extension",
    "no-reason", "lf", "bytes", "capitals", "64k", "64k-apart",
  } do
    it("opens: " .. path, function()
      opens(path)
    end)
  end

  it("takes a subprotocol that is chosen on the second of two lines", function()
    opens("protocol", { headers = { ["Sec-WebSocket-Protocol"] = "a, b" } })
    opens("protocol", { headers = { ["Sec-WebSocket-Protocol"] = { "a", "b" } } })
  end)

  it("refuses one that nobody offered, and two", function()
    refused("protocol", "not offered", 101)
    refused("two-protocols", "more than one subprotocol", 101, { headers = { ["Sec-WebSocket-Protocol"] = "a, b" } })
  end)

  it("passes interim answers over before a 401, too", function()
    local err = refused("interim-401", "401", 401)
    assert.same({ message = "Unauthorized" }, err.body)
  end)

  it("has bounds", function()
    refused("interim-33", "interim")
    refused("over", "64 KiB")
  end)

  it("refuses what no head may have, at once", function()
    refused("folded", "folded")
    refused("extension", "Sec-WebSocket-Extensions", 101)
  end)

  it("hints at who does not pass the upgrade on", function()
    for _, status in ipairs { 200, 400, 426 } do
      refused(tostring(status), "does not pass the Upgrade header on", status)
    end
    assert.falsy(tostring(select(2, open "403")):find("Upgrade header", 1, true))
  end)
end)

describe("a proxy", function()
  local here, client
  setup(function()
    here = hosts.start_heads()
    client = beam.client { token = false }
  end)
  teardown(function()
    hosts.stop(here)
  end)

  local function open(name)
    return client.realtime("ws://far.test:80/plain", { proxy = "http://127.0.0.1:" .. here["proxy_" .. name], retry = false, ready_timeout = 30 })
  end

  local function call(name)
    return client.call { "https://far.test:80/x", input = {}, proxy = "http://127.0.0.1:" .. here["proxy_" .. name], retry = false, timeout = 30 }
  end

  for _, name in ipairs { "plain", "bytes", "no_reason", "any_2xx", "interim", "lf", "large" } do
    it("opens a tunnel: " .. name, function()
      local conn = assert(open(name))
      assert.same({ hello = 1 }, conn:receive(30))
      conn:close()
    end)
  end

  local function told(err)
    return { err.kind, err.phase, err.status, err.executed, err.retryable, err.host, err.hint }
  end

  for name, status in pairs { ["403"] = 403, ["407"] = 407, ["407_bytes"] = 407, ["502"] = 502 } do
    it("refuses: " .. name .. ", and it is the proxy that did", function()
      local conn, err = open(name)
      assert.is_nil(conn)
      assert.same({ "connect", "proxy", status }, { err.kind, err.phase, err.status })
      assert.equal("no", err.executed)
      assert.truthy(tostring(err):find("the proxy 127.0.0.1:" .. here["proxy_" .. name], 1, true), tostring(err))
      assert.falsy(tostring(err):find("deployment", 1, true), tostring(err))
      assert.falsy(tostring(err):find("token", 1, true), tostring(err))
      local result, call_err = call(name)
      assert.is_nil(result)
      assert.same(told(err), told(call_err))
      assert.equal(status ~= 403, err.retryable)
    end)
  end

  it("that speaks no HTTP, or leaves, is told as the proxy's fault", function()
    for _, name in ipairs { "garbage", "gone" } do
      local conn, err = open(name)
      assert.is_nil(conn)
      assert.same({ "connect", "proxy" }, { err.kind, err.phase }, tostring(err))
    end
  end)
end)
