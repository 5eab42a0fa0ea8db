-- The second call to a target and those after it: they are told less, and do the same.
local beam = require "beam"
local driver = require "beam.driver"
local hooks = require "beam.observe.observers"
local plans = require "beam.http.plan"
local core = require("beam.base.native").core()

local no_wait = beam.retry.backoff { base = 0 }

describe("calls that differ in their input alone", function()
  local server, url, heads, bodies, answers
  before_each(function()
    heads, bodies, answers = {}, {}, {}
    server = assert(driver.context():server({}, function(request, view)
      heads[#heads + 1], bodies[#bodies + 1] = view.headers, view.body
      local answer = table.remove(answers, 1) or { 200, '{"n":1}' }
      request:respond(answer[1], answer[3], answer[2])
    end))
    driver.attach()
    url = "http://127.0.0.1:" .. server:port() .. "/"
  end)
  after_each(function()
    server:close()
    driver.detach()
  end)

  local function client_of(options)
    options.timeout = 10
    return assert(beam.client(options))
  end

  it("send what the first one sent, but for the body", function()
    for _, options in ipairs { { token = "a-token" }, { basic = { id = "me", secret = "a-secret" } }, { token = false } } do
      heads, bodies = {}, {}
      local client = client_of(options)
      for i = 1, 3 do
        local result, info = client.call(url, { i = i, filler = ("x"):rep(10) })
        assert.are.same({ { n = 1 }, 200, 1, '{"n":1}', nil }, { result, info.status, info.attempts, info.raw, info.body })
        assert.are.same("number", type(info.times.total))
      end
      assert.is_truthy(plans.find(client.settings, url))
      assert.are.same({ heads[1], heads[1] }, { heads[2], heads[3] })
      assert.are.equal('{"n":3}', (bodies[3]:gsub(',?"filler":"x+",?', ""):gsub('"i"', '"n"')))
    end
  end)

  -- Two clients are asked the same: one by plans, one that tells an option each time.
  local function both(answer, options)
    local told = {}
    for _, planned in ipairs { true, false } do
      local client = client_of { token = "a-token" }
      client.call(url)
      answers = { answer, answer }
      local _, err = client.call(url, {}, not planned and options or nil)
      answers = {}
      told[#told + 1] = { err.kind, err.message, err.status, err.executed, err.retryable, err.attempts, err.raw, err.hint, type(err.times) }
    end
    return told
  end

  it("fail as others do", function()
    for _, answer in ipairs { { 400, "no" }, { 401, "no" }, { 403, "no" }, { 404, "no" }, { 500, "no" }, { 502, "no" }, { 200, "no JSON" } } do
      local told = both(answer, { timeout = 10 })
      assert.are.same(told[2], told[1])
    end
    local client = client_of { token = false }
    client.call(url)
    local _, err = client.call(url, { f = print })
    assert.are.same({ "json", 0 }, { err.kind, err.attempts })
    assert.has_error(function()
      client.call(url, { 1, 2 })
    end)
  end)

  it("may have next to no time, as others", function()
    local context = driver.context()
    for _, timeout in ipairs { 0, 1e-10, 0.0015 } do
      assert(context:http({ url = url, timeout = timeout }, print)):free()
      assert(context:send(core.plan { url = url }, print, "", timeout)):free()
    end
  end)

  it("are tried again as others are", function()
    local client = client_of { token = "a-token" }
    client.call(url)
    local call, seen = beam.retry.call, nil
    beam.retry.call = function(attempt, err)
      seen = { attempt, err.status }
      return no_wait(attempt, err)
    end
    answers = { { 429, "Request queue full" } }
    local result, info = client.call(url, { again = true })
    beam.retry.call = call
    assert.are.same({ { n = 1 }, 2 }, { result, info.attempts })
    assert.are.same({ 1, 429 }, seen)
    assert.are.same({ '{"again":true}', '{"again":true}', heads[2] }, { bodies[2], bodies[3], heads[3] })
  end)

  it("show themselves to whoever begins to look on", function()
    local client, seen = client_of { token = false }, 0
    client.call(url)
    local before = hooks.call
    hooks.call = function(run, ...)
      seen = seen + 1
      return run(...)
    end
    client.call(url)
    hooks.call = before
    assert.are.equal(1, seen)
  end)

  it("are told what one of them is told otherwise", function()
    local client = client_of { token = "a-token" }
    client.call(url)
    client.call(url, {}, { token = "another" })
    client.call(url)
    assert.are.same(heads[1], heads[3])
    assert.are_not.same(heads[1], heads[2])
  end)

  it("are none where something may be another one each time", function()
    local asked = 0
    local function token()
      asked = asked + 1
      return "token-" .. asked
    end
    local client = client_of { token = token }
    client.call(url)
    client.call(url)
    assert.are.equal(2, asked)
    local plain = client_of { token = "a-token", tls = { key_passphrase = "a-password" } }
    plain.call(url)
    client_of({ token = "a-token" }).call(url .. "?secret=1")
    assert.is_nil(plans.find(client.settings, url) or plans.find(plain.settings, url) or plans.find(plain.settings, url .. "?secret=1"))
  end)

  it("are forgotten with their client", function()
    local client = client_of { token = false }
    client.call(url)
    local held = setmetatable({ plans.find(client.settings, url) }, { __mode = "v" })
    assert.is_truthy(held[1])
    client = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.is_nil(held[1])
  end)
end)
