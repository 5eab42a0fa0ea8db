-- Callbacks: signed by the local Beam, by Python and by openssl; verified here. What is forged, old or sent twice is refused.
local beam = require "beam"
local driver = require "beam.driver"
local eventually = require("told_server").eventually
local log = require "beam.log"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "a-token-that-no-message-may-show"
local KEY = "the-workspace's key"

-- What another implementation makes of key and text, in hex.
local by_python = [[import hmac,sys;print(hmac.new(sys.argv[1].encode(),sys.stdin.buffer.read(),'sha256').hexdigest())]]

local function signed_by(command, text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local pipe = assert(io.popen(command .. " < " .. path))
  local answer = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return answer:match "(%x+)%s*$"
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local others = {
  python = function(text, key)
    return signed_by(("%s -c %s %s"):format(os.getenv "BEAM_TEST_PYTHON" or "/usr/bin/python3", quote(by_python), quote(key or KEY)), text)
  end,
  openssl = function(text, key)
    return signed_by("openssl dgst -sha256 -hmac " .. quote(key or KEY), text)
  end,
}

local body = '{"data": {"loss": 0.5, "text": "\195\164 \\u0000"}}'
local encoded = require("beam.base64").encode(body)
local now = 1790000000

local function headers_of(signature, stamp)
  return {
    ["X-Task-ID"] = "a-task",
    ["X-Task-Status"] = "COMPLETE",
    ["X-Task-Timestamp"] = tostring(stamp or ("%d"):format(now)),
    ["X-Task-Signature"] = signature,
  }
end

local function refusal(...)
  local callback, err = beam.callbacks.verify(...)
  assert.is_nil(callback)
  assert.are.equal("auth", err.kind)
  return err.message
end

describe("a callback", function()
  for name, sign in pairs(others) do
    it("that " .. name .. " has signed is verified", function()
      local headers = headers_of(sign(encoded .. ":" .. now))
      local callback = assert(beam.callbacks.verify(body, headers, KEY, { now = now + 10 }))
      assert.are.same({ "task", "a-task", "COMPLETE", 0.5, now }, { callback.kind, callback.task_id, callback.status, callback.data.loss, callback.time })
    end)

    it("of a webhook that " .. name .. " has signed is verified", function()
      local event = '{"specversion":"1.0","id":"e1","type":"task.updated","time":"2026-09-21T14:13:20.123Z","data":{}}'
      local headers = { ["x-beta9-signature"] = "sha256=" .. sign(event), ["x-beta9-delivery"] = "e1", ["x-beta9-event"] = "task.updated" }
      local callback = assert(beam.callbacks.verify(event, headers, KEY, { now = now }))
      assert.are.same({ "webhook", "task.updated", "e1", now }, { callback.kind, callback.type, callback.id, callback.time })
      assert.are.equal("the callback was signed more than 300 s ago", refusal(event, headers, KEY, { now = now + 301 }))
      headers["x-beta9-signature"] = "sha256=" .. sign(event .. " ")
      assert.are.equal("the webhook's signature is not that of this secret", refusal(event, headers, KEY, { now = now }))
    end)
  end

  it("has false as its data where that was returned", function()
    local said = '{"data":false}'
    local signature = others.openssl(require("beam.base64").encode(said) .. ":" .. now)
    assert.is_false(assert(beam.callbacks.verify(said, headers_of(signature), KEY, { now = now })).data)
  end)

  it("that was tampered with is refused", function()
    local signature = others.openssl(encoded .. ":" .. now)
    local at = { now = now }
    local forged = "the callback's signature is not that of this key"
    assert.is_truthy(beam.callbacks.verify(body, headers_of(signature:upper()), KEY, at))
    assert.are.equal(forged, refusal(body .. " ", headers_of(signature), KEY, at))
    assert.are.equal(forged, refusal(body, headers_of(signature, now + 1), KEY, at))
    assert.are.equal(forged, refusal(body, headers_of(signature), "another key", at))
    assert.are.equal(forged, refusal(body, headers_of(signature:sub(1, 63)), KEY, at))
    assert.are.equal(forged, refusal(body, headers_of "", KEY, at))
    for i = 1, 64 do -- each digit counts
      local wrong = signature:sub(1, i - 1) .. (signature:sub(i, i) == "0" and "1" or "0") .. signature:sub(i + 1)
      assert.are.equal(forged, refusal(body, headers_of(wrong), KEY, at))
    end
  end)

  it("that is old, or of the future, is refused", function()
    local headers = headers_of(others.openssl(encoded .. ":" .. now))
    assert.is_truthy(beam.callbacks.verify(body, headers, KEY, { now = now + 300 }))
    assert.is_truthy(beam.callbacks.verify(body, headers, KEY, { now = now - 300 }))
    assert.are.equal("the callback was signed more than 300 s ago", refusal(body, headers, KEY, { now = now + 301 }))
    assert.are.equal("the callback's time is ahead of this machine's clock", refusal(body, headers, KEY, { now = now - 301 }))
    assert.is_truthy(refusal(body, headers, KEY, { now = now, window = 0 / 0 }))
    assert.are.equal("the callback was signed more than 5 s ago", refusal(body, headers, KEY, { now = now + 6, window = 5 }))
    assert.are.equal("the callback was signed more than 300 s ago", refusal(body, headers, KEY)) -- by the clock of today
  end)

  it("without a signature, or with two, is refused", function()
    local without = "the callback has no signature with a time"
    local signature = others.openssl(encoded .. ":" .. now)
    assert.are.equal(without, refusal(body, {}, KEY))
    assert.are.equal(without, refusal(body, headers_of(signature, "soon"), KEY))
    assert.are.equal(without, refusal(body, headers_of(signature, "1e9"), KEY))
    local twice = { { "X-Task-Signature", signature }, { "x-task-signature", "another" }, { "X-Task-Timestamp", tostring(now) } }
    assert.are.equal(without, refusal(body, twice, KEY, { now = now }))
    local repeated = headers_of { signature, "another" } -- as nginx tells of it
    assert.are.equal(without, refusal(body, repeated, KEY, { now = now }))
    table.remove(twice, 2)
    twice[2][2] = ("%d"):format(now)
    assert.is_truthy(beam.callbacks.verify(body, twice, KEY, { now = now }))
  end)

  it("is asked about with a mistake", function()
    for _, row in ipairs {
      { { {}, {} }, "beam.callbacks.verify wants the body as it came, a string, and the headers, a table" },
      { { "", {}, "" }, "beam.callbacks.verify: key is a string, or a function that gives one: client.signing_key" },
      { { "", {}, KEY, { windw = 1 } }, "beam.callbacks.verify: unknown option 'windw'; did you mean 'window'?" },
      { { "", {}, KEY, { window = "1" } }, "beam.callbacks.verify: option 'window' wants a number, not a string" },
    } do
      local ok, problem = pcall(beam.callbacks.verify, row[1][1], row[1][2], row[1][3], row[1][4])
      assert.are.same({ false, row[2] }, { ok, (problem:gsub("^.-:%d+: ", "")) })
    end
  end)
end)

describe("the signing key", function()
  local api, client, key
  before_each(function()
    api, key = told.start(), "old"
    api:on("GET /api/v1/token/[^/]+/signing%-key", function(request)
      told.reply(request, 200, { signing_key = key })
    end)
    client = assert(beam.client { gateway = api.url, token = TOKEN })
  end)
  after_each(function()
    api:close()
  end)

  it("is asked for once, whoever wants it meanwhile", function()
    local tasks = {}
    for i = 1, 5 do
      tasks[i] = beam.spawn(client.signing_key)
    end
    for i = 1, 5 do
      assert.are.equal("old", (tasks[i]:join(5)))
    end
    assert.are.equal("old", client.signing_key())
    assert.are.equal(1, api:count "signing%-key")
  end)

  it("is waited for as long as each who waits says", function()
    local requests = {}
    api:on("GET /api/v1/token/[^/]+/signing%-key", function(request)
      requests[#requests + 1] = request
    end)
    local patient = beam.spawn(client.signing_key, { timeout = 10 })
    local began = driver.now()
    local none, err = client.signing_key { timeout = 0.1 }
    assert.are.same({ nil, "timeout", "no signing key within 0.1 s" }, { none, err.kind, err.message })
    assert.is_true(driver.now() - began < 5)
    eventually(function()
      return #requests > 0
    end)
    told.reply(requests[1], 200, { signing_key = "late" })
    assert.are.equal("late", (patient:join(5)))
    assert.are.equal(1, #requests)
  end)

  it("is asked for anew where a signature does not fit, but not again and again", function()
    local moment = os.time()
    local function verify(with)
      local headers = headers_of(others.openssl(encoded .. ":" .. moment, with), moment)
      return beam.callbacks.verify(body, headers, client.signing_key)
    end
    assert.is_truthy(verify "old")
    assert.is_nil((verify "new"))
    assert.are.equal(1, api:count "signing%-key") -- it is fresh
    local real = driver.now
    driver.now = function()
      return real() + 61
    end
    key = "new"
    local callback = verify "new"
    local forged = verify "forged"
    driver.now = real
    assert.is_truthy(callback)
    assert.is_nil(forged)
    assert.are.equal(2, api:count "signing%-key")
  end)

  it("that Beam does not give is an error", function()
    key = ""
    local none, err = beam.callbacks.verify(body, headers_of "x", client.signing_key)
    assert.are.same({ nil, "http", "Beam gave no signing key" }, { none, err.kind, err.message })
    none, err = beam.client({ gateway = api.url, token = TOKEN, api_version = "v2" }).signing_key()
    assert.are.same({ nil, "invalid" }, { none, err.kind })
  end)
end)

describe("the local Beam's callback", function()
  local app, server, client, receiver, received, answers
  setup(function()
    log.to(function() end)
    received, answers = {}, {}
    receiver = assert(driver.context():server({}, function(request, view)
      received[#received + 1] = view
      local status = table.remove(answers, 1) or 200
      if status == "hang up" then
        return request:abort(false)
      end
      request:respond(status, {}, "")
    end))
    driver.attach()
    app = serve.new()
    app.task_queue("train", function(input)
      if input.fail then
        error("it broke", 0)
      end
      return { loss = 0.5 }
    end, { callback_url = "http://127.0.0.1:" .. receiver:port() .. "/of-the-deployment" })
    app.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    server = assert(app.listen { token = TOKEN, log = function() end })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  teardown(function()
    app:close()
    receiver:close()
    driver.detach()
    log.to(nil)
  end)
  before_each(function()
    for i = #received, 1, -1 do
      received[i] = nil
    end
    for i = #answers, 1, -1 do
      answers[i] = nil
    end
  end)

  local function wait_for(count)
    eventually(function()
      return #received >= count
    end)
    return received[count]
  end

  local function verified(view)
    return assert(beam.callbacks.verify(view.body, view.headers, client.signing_key))
  end

  it("comes when a task has ended, signed", function()
    local task = assert(client.submit("train", {}))
    local view = wait_for(1)
    local callback = verified(view)
    assert.are.same({ "POST", "/of-the-deployment", task.id, "COMPLETE", { loss = 0.5 } },
      { view.method, view.target, callback.task_id, callback.status, callback.data })
    assert.are.equal(app.tasks.signing_key, client.signing_key())
  end)

  it("goes where the input says, and tells of failures and of calls too", function()
    local there = "http://127.0.0.1:" .. receiver:port() .. "/of-the-input"
    local task = assert(client.submit("train", { fail = true, callback_url = there }))
    local callback = verified(wait_for(1))
    assert.are.same({ task.id, "ERROR", beam.null, "/of-the-input" }, { callback.task_id, callback.status, callback.data, received[1].target })
    local _, info = client.call("multiply", { x = 21, callback_url = there })
    callback = verified(wait_for(2))
    assert.are.same({ info.task_id, "COMPLETE", { result = 42 } }, { callback.task_id, callback.status, callback.data })
  end)

  it("of a call tells what its answer told", function()
    local there = "http://127.0.0.1:" .. receiver:port() .. "/of-the-input"
    local returned = { { n = 2, 1, "two" }, { n = 1, false }, { n = 1, app.response(201, { a = 1 }) }, { n = 1, app.response(204) } }
    local now_returned
    local function give()
      return (table.unpack or unpack)(now_returned, 1, now_returned.n) -- luacheck: ignore 143
    end
    app.endpoint("give", give)
    app.task_queue("give", give)
    for i, wanted in ipairs { { 1, "two" }, false, { a = 1 }, beam.null } do
      now_returned = returned[i]
      client.call("give", { callback_url = there })
      assert.are.same(wanted, verified(wait_for(2 * i - 1)).data)
      assert(client.submit("give", { callback_url = there }))
      assert.are.same(wanted, verified(wait_for(2 * i)).data)
    end
  end)

  it("is tried three times, and not after a refusal", function()
    answers[1], answers[2] = 503, "hang up"
    client.submit("train", {})
    assert.are.equal("COMPLETE", verified(wait_for(3)).status)
    answers[1] = 404
    client.submit("train", {})
    wait_for(4)
    beam.sleep(0.8)
    assert.are.equal(4, #received)
  end)

  it("is to be sent again where there is no key to verify it with", function()
    for _, key in ipairs {
      function()
        error("no key today", 0)
      end,
      function() end,
    } do
      local listening = assert(beam.callbacks.listen { key = key })
      local ask = require("served_http").asker { url = listening.url:gsub("/$", "") }
      local headers = {}
      for name, value in pairs(headers_of("00", os.time())) do
        headers[#headers + 1] = { name, tostring(value) }
      end
      assert.are.equal(503, (ask("POST", "/", { body = "{}", headers = headers })))
      listening:close()
    end
  end)

  it("is received where nothing else listens, each task's once", function()
    local listening = assert(beam.callbacks.listen { key = client.signing_key })
    local task = assert(client.submit("train", { callback_url = listening.url }))
    local callback = assert(listening:wait(task, 10))
    assert.are.same({ task.id, "COMPLETE", { loss = 0.5 } }, { callback.task_id, callback.status, callback.data })
    assert.are.equal(callback, (listening:wait(task.id)))
    local ask = require("served_http").asker { url = listening.url:gsub("/$", "") }
    assert.are.equal(401, (ask("POST", "/", { body = "{}" })))
    local none, err = listening:wait("another", 0.1)
    assert.are.same({ nil, "timeout", "another" }, { none, err.kind, err.task_id })
    local waiting = beam.spawn(listening.wait, listening, "another")
    listening:close()
    listening:close()
    none, err = waiting:join(5)
    assert.are.same({ nil, "closed" }, { none, err.kind })
    none, err = beam.callbacks.listen { port = receiver:port() }
    assert.are.same({ nil, "connect" }, { none, err and err.kind })
  end)
end)
