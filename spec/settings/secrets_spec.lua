-- No secret of 8 characters or more comes out anywhere, whatever a server makes of it: random secrets, forms, places and cuts.
local answer_error = require "beam.http.answer_error"
local beam = require "beam"
local base64 = require "beam.base64"
local errors = require "beam.error"
local json = require "beam.json"
local log = require "beam.log"
local serve = require "beam.serve"
local told_server = require "told_server"

local random = require("beam.retry").generator(20261129)
local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./+=~!$&'*:"

local function secret()
  local characters = {}
  for i = 1, 8 + math.floor(random() * 40) do
    local at = 1 + math.floor(random() * #letters)
    characters[i] = letters:sub(at, at)
  end
  return table.concat(characters)
end

local function percent(text)
  return (text:gsub("[^0-9A-Za-z%-._~]", function(character)
    return ("%%%02X"):format(character:byte())
  end))
end

local forms = {
  function(text)
    return text
  end,
  percent,
  function(text)
    return json.encode(text):sub(2, -2)
  end,
  function(text)
    return (text:gsub("/", "\\/"))
  end,
  base64.encode,
}

local function shows(value, hidden)
  if type(value) == "table" then
    for key, inner in pairs(value) do
      if shows(key, hidden) or shows(inner, hidden) then
        return true
      end
    end
    return false
  end
  return type(value) == "string" and value:find(hidden, 1, true) ~= nil
end

-- A body in which the form of a secret stands, somewhere.
local function body_of(form)
  local around = ("x"):rep(math.floor(random() * 900))
  local bodies = {
    around .. form .. around,
    '{"error":"' .. around .. form .. '"}',
    '{"message":"no","detail":{"seen":["' .. form .. '"]}}',
    '{"error":"ValidationError","message":"' .. form .. '"}',
  }
  return bodies[1 + math.floor(random() * #bodies)]
end

local function check(err, hidden)
  assert.is_false(shows(tostring(err), hidden))
  for _, field in ipairs { "message", "body", "raw", "headers", "reason", "hint" } do
    assert.is_false(shows(err[field], hidden), field)
  end
end

describe("secrets", function()
  local lines
  before_each(function()
    lines = {}
    log.to(function(_, line)
      lines[#lines + 1] = line
    end)
  end)
  after_each(function()
    log.to(nil)
  end)

  it("come out in no error and no line, in whatever form a server repeats them", function()
    for round = 1, 400 do
      local text = secret()
      local client = round % 2 == 0 and beam.client { token = text, gateway = "http://127.0.0.1:1" }
        or beam.client { basic = { id = "me", secret = text }, gateway = "http://127.0.0.1:1" }
      assert(client.settings:credentials())
      for _, form_of in ipairs(forms) do
        local form = form_of(text)
        local response = { status = 200 + math.floor(random() * 350), body = body_of(form), headers = { ["x-seen"] = form } }
        check(answer_error.from_response("POST https://h/", response, "bearer"), form)
        response.body = body_of(form)
        check(answer_error.from_rejection("wss://h/", response, "bearer"), form)
        check(errors.from_close("wss://h/", 1011, form:sub(1, 100)), form)
        response.body = body_of(form)
        check(answer_error.from_unreadable("POST https://h/", response, "at " .. form), form)
        check(errors.new { kind = "http", message = "seen: " .. form, body = form }, form)
        log.write("error", "seen: " .. form)
        assert.is_false(shows(lines[#lines], form))
      end
      local both = base64.encode("me:" .. text)
      check(errors.new { kind = "http", message = "seen: " .. (round % 2 == 1 and both or "") }, both)
    end
  end)

  it("of a known one are found under another id, too", function()
    assert(beam.client({ token = "both-bearer-and-basic" }).settings:credentials())
    assert(beam.client({ basic = { id = "somebody", secret = "both-bearer-and-basic" } }).settings:credentials())
    local both = base64.encode "somebody:both-bearer-and-basic"
    check(errors.new { kind = "http", message = "seen: " .. both }, both)
  end)

  it("that unlock a client's key are known", function()
    require("beam.settings.options").transport { tls = { cert = "c", key = "k", key_passphrase = "open sesame, please" } }
    check(errors.new { kind = "http", message = "not with open sesame, please" }, "open sesame, please")
    assert.is_false(shows(beam.inspect { tls = { key_passphrase = "open sesame, please" } }, "open sesame, please"))
  end)

  it("come out in no span, on either transport, nor in a figure, nor in what a collector is sent", function()
    local prometheus = require "beam.observe.prometheus"
    local otlp_json = require "beam.observe.otlp_json"
    local spans = {}
    for _ = 1, 40 do
      local text = secret()
      local form = forms[1 + math.floor(random() * #forms)](text)
      local server = told_server.start {
        on_request = function(request)
          request:respond(403, { { "x-task-id", form }, { "content-type", "application/json" } }, json.encode { message = form })
          return true
        end,
      }
      local client = assert(beam.client {
        token = text,
        gateway = server.url:gsub("^ws", "http"),
        on_span = function(span)
          spans[#spans + 1] = span
        end,
      })
      local before = #spans
      local _, err = client.call(form:gsub("[^0-9A-Za-z]", "") .. "x", {}, { retry = false })
      check(err, form)
      check(select(2, client.realtime(server.url, { retry = false })), form)
      server.close()
      assert.is_true(#spans >= before + 3) -- of the call, its attempt, the connection
      for i = before + 1, #spans do
        local span = spans[i]
        assert.is_false(shows({ span.name, span.message, span.attributes }, form), form)
        assert.is_false(shows(otlp_json.encode({ span }, {}, "0"), form), form)
      end
    end
    local text = "a-state-that-leaks"
    require("beam.settings.secrets").learn(text)
    local figures = beam.metrics()
    figures.tasks = { [text] = 1 }
    assert.is_false(shows(prometheus.text { { figures = figures } }, text))
  end)

  it("of proxies and headers are known, too", function()
    local options_of = require "beam.settings.options"
    options_of.transport { proxy = "http://me:pa%24%24w0rd-long@proxy.test:3128" }
    require("beam.settings.headers").to_pairs { Authorization = "Bearer abcdefgh-ijkl" }
    for _, text in ipairs { "pa$$w0rd-long", "pa%24%24w0rd-long", base64.encode "me:pa$$w0rd-long", "abcdefgh-ijkl" } do
      assert.is_false(shows(errors.new({ kind = "http", message = "seen " .. text }).message, text), text)
    end
  end)

  it("are hidden from the answers of both transports", function()
    local text = "a-token-that-leaks"
    local app = serve.new()
    app.endpoint("leak", function()
      return app.response(403, { message = "not with " .. text })
    end)
    local server = assert(app.listen { token = text, log = function() end, fault = nil })
    local client = assert(beam.client { gateway = server.url, token = text })
    local _, err = client.call "leak"
    assert.are.equal(403, err.status)
    check(err, text)
    assert.are.equal("not with [secret]", err.body.message)
    local stream, failed = client.stream "leak"
    assert.is_nil(stream)
    check(failed, text)
    server:close()
  end)

  it("are hidden in a rejection of the upgrade, and in a close reason", function()
    local text = "another-token-that-leaks"
    local hooks = { reject = 403, body = json.encode { error = "not with " .. text, seen = { text } } }
    local server = told_server.start(hooks)
    local client = assert(beam.client { token = text })
    local conn, err = client.realtime(server.url, { retry = false })
    assert.is_nil(conn)
    assert.are.same({ "handshake", 403, "not with [secret]" }, { err.kind, err.status, err.body.error })
    check(err, text)
    hooks.reject = nil
    hooks.on_open = function(ws)
      ws:close(1011, "no more of " .. text)
    end
    conn = assert(client.realtime(server.url, { retry = false }))
    local message, ended = conn:receive(5)
    assert.are.same({ nil, 1011 }, { message, ended.code })
    check(ended, text)
    server.close()
  end)
end)
