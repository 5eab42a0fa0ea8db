-- The table of failures: whatever goes wrong between us and a server that is not ours, what the person is told.
-- A row: what goes wrong; where; kind, phase and a part of the text; further fields of the error.
local beam = require "beam"
local hosts = require "hosts"

local unpack = unpack or table.unpack -- luacheck: ignore 113

local TOKEN = "test-token-that-no-message-may-show"
local here, client

local function faults(path)
  return function()
    return "127.0.0.1:" .. here.faults .. path
  end
end

local function at(name, path)
  return function()
    return "127.0.0.1:" .. here[name] .. (path or "/")
  end
end

-- name, scheme (without the s: both tables add it), address, options, kind, phase, text, hint
local connecting = {
  { "name not found", "s", function() return "no-such-host.invalid/" end, {}, "dns", "dns", "no%-such%-host%.invalid" },
  { "connection refused", "", at "refused", {}, "connect", "tcp", "refused",
    "nothing listens there: beamlua serve starts the local Beam" },
  { "connect hangs", "", at "black_hole", { connect_timeout = 0.3 }, "timeout", "tcp", "300 ms" },
  { "TLS handshake stalls", "s", at "mute", { connect_timeout = 0.3 }, "timeout", "tls", "300 ms" },
  { "TLS self-signed", "s", at "tls_selfsigned", {}, "tls", "tls", "self%-signed" },
  { "TLS expired", "s", at "tls_expired", {}, "tls", "tls", "expired" },
  { "TLS wrong host", "s", at "tls_elsewhere", {}, "tls", "tls", "127%.0%.0%.1" },
  { "TLS unknown issuer", "s", at "tls_unknown", {}, "tls", "tls", "Beam test stranger" },
  { "TLS to a port without it", "s", at "uvicorn", {}, "tls", "tls", "no TLS is spoken there" },
  { "credentials in plain text", "", function() return "beam.example:80/" end, {}, "auth", nil, "not encrypted" },
}

local upgrades = {
  { "401", faults "/ws/status/401", "handshake", "upgrade", "401",
    { status = 401, executed = "no", retryable = false, body = { message = "Unauthorized" } } },
  { "400", faults "/ws/status/400", "handshake", "upgrade", "400", { status = 400, executed = "no", retryable = false } },
  { "404", faults "/ws/status/404", "handshake", "upgrade", "404", { status = 404, executed = "no", retryable = false } },
  { "429", faults "/ws/status/429", "handshake", "upgrade", "queue full", { status = 429, retryable = true, retry_after = 7 } },
  { "429, its body later than its headers", faults "/ws/late-body", "handshake", "upgrade", "queue full", { status = 429 } },
  { "503", faults "/ws/status/503", "handshake", "upgrade", "capacity", { status = 503, executed = "no", retryable = true } },
  { "504", faults "/ws/status/504", "handshake", "upgrade", "container", { status = 504, executed = "no", retryable = true } },
  { "302 to another host", faults "/ws/redirect", "handshake", "upgrade", "redirect", { status = 302 } },
  { "200", faults "/ws/200", "handshake", "upgrade", "200", { status = 200 } },
  { "garbage", faults "/ws/garbage", "handshake", "upgrade", "HTTP" },
  { "wrong Sec-WebSocket-Accept", faults "/ws/bad-accept", "handshake", "upgrade", "Sec%-WebSocket%-Accept" },
  { "an extension nobody offered", faults "/ws/extension", "handshake", "upgrade", "Sec%-WebSocket%-Extensions" },
  { "silence", faults "/ws/silence", "timeout", "upgrade", "500 ms" },
  { "hung up", faults "/ws/hang-up", "closed", "upgrade", "closed", { executed = "no", retryable = true } },
  { "TCP reset", faults "/ws/reset-handshake", "closed", "upgrade", "reset", { executed = "no", retryable = true } },
}

local opened = {
  { "TCP reset in the middle of a message", faults "/ws/reset-message", "closed", "open", "reset", { code = 1006 } },
  { "close without a frame", faults "/ws/close-without-frame", "closed", "open", "without a close frame", { code = 1006 } },
  { "close in the middle of a message", faults "/ws/half-a-message", "closed", "open", "middle of a message", { code = 1006 } },
  { "message over the bound", faults "/ws/too-large", "too_large", "open", "16777216", {}, 1009 },
  { "invalid UTF-8", faults "/ws/bad-utf8", "protocol", "open", "UTF%-8", {}, 1007 },
  { "masked frame", faults "/ws/masked", "protocol", "open", "mask", {}, 1002 },
  { "reserved bits", faults "/ws/reserved-bits", "protocol", "open", "reserved", {}, 1002 },
  { "unknown opcode", faults "/ws/bad-opcode", "protocol", "open", "opcode", {}, 1002 },
  { "fragmented control frame", faults "/ws/fragmented-control", "protocol", "open", "control", {}, 1002 },
  { "control frame over 125 bytes", faults "/ws/long-control", "protocol", "open", "125", {}, 1002 },
  { "continuation of nothing", faults "/ws/continuation-first", "protocol", "open", "continu", {}, 1002 },
  { "a message inside a message", faults "/ws/text-in-fragments", "protocol", "open", "message", {}, 1002 },
  { "close frame of one byte", faults "/ws/close-length-1", "protocol", "open", "close", {}, 1002 },
  { "close frame with a code that may not be sent", faults "/ws/close-bad-code", "protocol", "open", "code that may not be sent", {}, 1002 },
  { "close reason that is no UTF-8", faults "/ws/close-bad-reason", "protocol", "open", "UTF%-8", {}, 1007 },
}

local calls = {
  { "400, JSON", "/http/status/400/json", "http", "response", "Invalid deployment", { status = 400, executed = "no" } },
  { "401, JSON", "/http/status/401/json", "http", "response", "Unauthorized", { status = 401, executed = "no" } },
  { "404, text", "/http/status/404/text", "http", "response", "something failed", { status = 404 } },
  { "422, empty", "/http/status/422/empty", "http", "response", "422", { status = 422 } },
  { "429, JSON", "/http/status/429/json", "http", "response", "queue full", { status = 429, executed = "no", retryable = true } },
  { "500, JSON", "/http/status/500/json", "http", "response", "it failed", { status = 500, executed = "yes", retryable = false } },
  { "500, text", "/http/status/500/text", "http", "response", "something failed", { status = 500 } },
  { "502, JSON", "/http/status/502/json", "http", "response", "unavailable",
    { status = 502, executed = "unknown", retryable = false, task_id = "task-1" } },
  { "503, empty", "/http/status/503/empty", "http", "response", "503", { status = 503 } },
  { "504, JSON", "/http/status/504/json", "http", "response", "container", { status = 504, executed = "no", retryable = true } },
  { "302 to another host", "/http/redirect", "http", "response", "redirect", { status = 302 } },
  { "truncated body", "/http/truncated", "http", "response", "992 bytes early", { executed = "unknown" } },
  { "truncated gzip", "/http/truncated-gzip", "http", "response", "middle of its compressed body", {} },
  { "gzip bomb", "/http/bomb", "too_large", "response", "67108864", {} },
  { "invalid JSON", "/http/invalid-json", "json", "response", "JSON", { executed = "yes" } },
  { "validation error with status 200", "/http/validation", "validation", "response", "x is missing", { status = 200, executed = "no" } },
  { "garbage", "/http/garbage", "http", "request", "HTTP", { executed = "unknown" } },
  { "silence", "/http/silence", "timeout", nil, "500 ms", { executed = "unknown", retryable = false } },
  { "TCP reset", "/http/reset", "http", nil, "", { executed = "unknown", retryable = false } },
  { "hung up", "/http/hang-up", "http", nil, "", { executed = "unknown", retryable = false } },
}

local function check(err, kind, phase, text, fields)
  assert.is_table(err)
  assert.are.equal(kind, err.kind, tostring(err))
  if phase then
    assert.are.equal(phase, err.phase, tostring(err))
  end
  assert.is_truthy(tostring(err):lower():find(text:lower()), "the text lacks '" .. text .. "': " .. tostring(err))
  for name, value in pairs(fields or {}) do
    assert.are.same(value, err[name], name .. " of: " .. tostring(err))
  end
  assert.is_nil(tostring(err):find(TOKEN, 1, true), "the token shows in: " .. tostring(err))
end

local function seen()
  return assert(client.call { "http://127.0.0.1:" .. here.faults .. "/seen", method = "GET" })
end

--- Opens, reads until the end, gives what came before it and the error.
local function converse(url, options)
  options = options or {}
  options.retry = false
  local conn, err = client.realtime(url, options)
  if not conn then
    return {}, err, false
  end
  local messages = {}
  while true do
    local message, why = conn:receive(5)
    if not message then
      return messages, why, true
    end
    messages[#messages + 1] = message
  end
end

describe("failures", function()
  setup(function()
    here = hosts.start()
    client = beam.client { token = TOKEN, tls = { ca_file = here.ca }, timeout = 10 }
  end)
  teardown(function()
    hosts.stop(here)
  end)

  for _, row in ipairs(connecting) do
    local name, secure, address, options, kind, phase, text, hint = unpack(row, 1, 8)
    it("connecting: " .. name, function()
      local connect_timeout = options.connect_timeout
      local conn, err = client.realtime("ws" .. secure .. "://" .. address(), { connect_timeout = connect_timeout, retry = false })
      assert.is_nil(conn)
      check(err, kind, phase, text)
      assert.equal(hint, err.hint)
    end)
    it("calling: " .. name, function()
      local result, err = client.call { "http" .. secure .. "://" .. address(), connect_timeout = options.connect_timeout, retry = false }
      assert.is_nil(result)
      -- A certificate does not get better, nor do credentials.
      check(err, kind, phase, text, { executed = "no", retryable = kind ~= "tls" and kind ~= "auth" })
      assert.equal(hint, err.hint)
    end)
  end

  for _, row in ipairs(upgrades) do
    local name, address, kind, phase, text, fields = unpack(row, 1, 7)
    it("upgrade: " .. name, function()
      local conn, err = client.realtime("ws://" .. address(), { ready_timeout = 0.5, retry = false })
      assert.is_nil(conn)
      check(err, kind, phase, text, fields)
    end)
  end

  for _, row in ipairs(opened) do
    local name, address, kind, phase, text, fields, answer = unpack(row, 1, 7)
    it("open: " .. name, function()
      local _, err, was_open = converse("ws://" .. address())
      assert.is_true(was_open)
      check(err, kind, phase, text, fields)
      if answer then -- what the server read after its offence: our masked close frame with the right code
        local path, log = address():match("(/.*)$"), seen()
        local bytes
        for _, entry in ipairs(log) do
          bytes = entry[1] == path .. "#answer" and entry[2].bytes or bytes
        end
        assert.is_truthy(bytes, "the server got no answer")
        local head, mask1, mask2, code1, code2 = bytes:match("^(8[8])%x%x(%x%x)(%x%x)%x%x%x%x(%x%x)(%x%x)")
        assert.are.equal("88", head)
        local function xor(a, b)
          local left, right, result = tonumber(a, 16), tonumber(b, 16), 0
          for bit = 0, 7 do
            local x, y = math.floor(left / 2 ^ bit) % 2, math.floor(right / 2 ^ bit) % 2
            result = result + (x ~= y and 2 ^ bit or 0)
          end
          return result
        end
        assert.are.equal(answer, xor(mask1, code1) * 256 + xor(mask2, code2))
      end
    end)
  end

  for _, code in ipairs { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999 } do
    it("closed by the server with " .. code, function()
      local _, err, was_open = converse("ws://127.0.0.1:" .. here.faults .. "/ws/close/" .. code)
      assert.is_true(was_open)
      check(err, "closed", nil, tostring(code), { code = code, reason = "why: ä" })
    end)
  end

  it("closed by the server without a code: it may be a refusal", function()
    local _, err, was_open = converse("ws://127.0.0.1:" .. here.faults .. "/ws/close-empty")
    assert.is_true(was_open)
    check(err, "closed", nil, "of the path or the credentials", { code = 1005, retryable = false })
  end)

  it("messages that came before the end are not lost", function()
    local messages, err = converse("ws://127.0.0.1:" .. here.faults .. "/ws/two-messages-then-error")
    assert.are.same({ "one", "two" }, messages)
    assert.are.equal("protocol", err.kind)
    messages, err = converse("ws://127.0.0.1:" .. here.faults .. "/ws/message-then-close-without-frame")
    assert.are.same({ "last words" }, messages)
    assert.are.equal(1006, err.code)
  end)

  for _, row in ipairs(calls) do
    local name, path, kind, phase, text, fields = unpack(row, 1, 7)
    it("call: " .. name, function()
      local timeout = path:find "silence" and 0.5 or 60
      local result, err = client.call { "http://127.0.0.1:" .. here.faults .. path, input = {}, timeout = timeout, retry = false }
      assert.is_nil(result)
      check(err, kind, phase, text, fields)
    end)
  end

  it("follows no redirect, and carries no credentials anywhere", function()
    client.realtime("ws://127.0.0.1:" .. here.faults .. "/ws/redirect")
    client.call { "http://127.0.0.1:" .. here.faults .. "/http/redirect", input = {} }
    for _, entry in ipairs(seen()) do
      assert.is_nil(entry[1]:find("redirected"))
      assert.is_nil(entry[1]:find(TOKEN, 1, true))
    end
  end)
end)
