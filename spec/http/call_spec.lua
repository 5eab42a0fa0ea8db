-- The synchronous call, against the local Beam and against a server that answers what it is told.
local beam = require "beam"
local driver = require "beam.driver"
local log = require "beam.log"
local serve = require "beam.serve"

local TOKEN = "a-token-that-no-message-may-show"

-- A server on the core: `replies[path]` is {status, body, headers} or a function of the request and its view.
local function start_server(replies)
  local server = assert(driver.context():server({}, function(request, view)
    local reply = replies[view.target:match "^[^?]*"]
    if type(reply) == "function" then
      return reply(request, view)
    end
    request:respond(reply[1], reply[3], reply[2])
  end))
  driver.attach()
  return {
    url = "http://127.0.0.1:" .. server:port(),
    close = function()
      server:close()
      driver.detach()
    end,
  }
end

describe("call", function()
  local local_beam, client
  setup(function()
    local app = serve.new()
    app.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    app.endpoint("inspect", function(input, context)
      return { input = input, headers = context.headers, method = context.method }
    end)
    app.endpoint("fail", function()
      error "it cannot"
    end)
    local_beam = assert(app.listen { token = TOKEN, log = function() end })
    client = assert(beam.client { gateway = local_beam.url, token = TOKEN, timeout = 10 })
  end)
  teardown(function()
    local_beam:close()
  end)

  describe("to the local Beam", function()
    it("gives the result, and how it came", function()
      local result, info = client.call("multiply", { x = 12 })
      assert.are.same({ result = 24 }, result)
      assert.are.same({ 200, 1, '{"result":24}', "string" }, { info.status, info.attempts, info.raw, type(info.task_id) })
      assert.is_true(info.elapsed > 0 and info.elapsed < 60)
      assert.is_truthy(info.headers["content-type"]:find("application/json", 1, true))
    end)

    it("takes everything in one table, or the target and options apart", function()
      assert.are.same({ result = 2 }, (client.call { "multiply", input = { x = 1 } }))
      assert.are.same({ result = 2 }, (client:call({ name = "multiply" }, { x = 1 })))
      assert.are.same({ result = 2 }, (client.call("multiply", { x = 1 }, { timeout = 5 })))
      assert.are.same({ result = 2 }, (client.call { name = "multiply", input = { x = 1 } }))
    end)

    it("takes options that stand beside the target, with more of them apart", function()
      assert.are.same({ result = 2 }, (client.call({ "multiply", input = { x = 1 } }, nil, { timeout = 5 })))
      assert.are.same('{"result":2}', (client.call({ "multiply", raw = true }, { x = 1 })))
      for _, result in client.map({ "multiply", raw = true }, { { x = 1 } }, { concurrency = 1 }) do
        assert.are.equal('{"result":2}', result)
      end
      local ok, err = pcall(client.call, { "multiply", tiemout = 5 }, { x = 1 })
      assert.is_false(ok)
      assert.is_truthy(err:find("beam.call: unknown option 'tiemout'; did you mean 'timeout'?", 1, true))
    end)

    it("sends an object where there is no input", function()
      assert.are.same({}, client.call("inspect").input)
      assert.are.same({}, client.call("inspect", {}).input)
    end)

    it("sends further headers and a query", function()
      local seen = client.call { "inspect", input = {}, headers = { ["X-Mine"] = "yes" }, path = "?q=a%20b" }
      assert.are.same({ "yes", "a b", "POST" }, { seen.headers["x-mine"], seen.input.q, seen.method })
    end)

    it("waits in coroutines side by side", function()
      local tasks = {}
      for i = 1, 20 do
        tasks[i] = beam.spawn(client.call, "multiply", { x = i })
      end
      for i, task in ipairs(tasks) do
        assert.are.same({ result = 2 * i }, (task:join(10)))
      end
    end)

    it("that fails in the handler says so", function()
      local result, err = client.call("fail", {})
      assert.is_nil(result)
      assert.are.same({ "http", 500, "yes", false, 1, "string" },
        { err.kind, err.status, err.executed, err.retryable, err.attempts, type(err.task_id) })
      assert.is_truthy(err.body.error:find("it cannot", 1, true))
    end)

    it("with a wrong token says so without showing it", function()
      local result, err = client.call { "multiply", input = {}, token = "a-wrong-token" }
      assert.is_nil(result)
      assert.are.same({ "http", 401, "no", false }, { err.kind, err.status, err.executed, err.retryable })
      assert.is_truthy(err.hint:find("the token was not accepted", 1, true))
      assert.is_nil(tostring(err):find("a-wrong-token", 1, true))
    end)

    it("without a token says what to set", function()
      local _, err = client.call { "multiply", token = false }
      assert.are.equal(401, err.status)
      assert.is_truthy(err.hint:find("set BEAM_TOKEN", 1, true))
    end)

    it("to what is not deployed says so", function()
      local result, err = client.call("nothing", {})
      assert.is_nil(result)
      assert.are.same({ "http", "no", false }, { err.kind, err.executed, err.retryable })
      assert.is_true(err.status == 404 or err.status == 400)
    end)

    it("asks a token function for each attempt", function()
      local tokens = { "wrong", TOKEN }
      local asking = beam.client { gateway = local_beam.url, token = function()
        return table.remove(tokens, 1)
      end }
      local renewed, info = asking.call("multiply", { x = 1 })
      assert.are.same({ { result = 2 }, 2 }, { renewed, info.attempts })
      local result, err = asking.call("multiply", { x = 1 })
      assert.is_nil(result)
      assert.are.same({ "auth", "the token function gave no token", 1 }, { err.kind, err.message, err.attempts })
    end)

    it("may use a token function that waits", function()
      local asking = beam.client { gateway = local_beam.url, token = function()
        beam.sleep(0.01)
        return TOKEN
      end }
      assert.are.same({ result = 2 }, (asking.call("multiply", { x = 1 })))
      assert.are.same({ result = 4 }, (beam.spawn(asking.call, "multiply", { x = 2 }):join(5)))
    end)

    it("waits for a token function no longer than for all else", function()
      local began, ended = driver.now(), false
      local asking = beam.client { gateway = local_beam.url, timeout = 0.2, token = function()
        driver.sleep(3)
        ended = true
        return TOKEN
      end }
      local result, err = asking.call("multiply", { x = 1 })
      assert.are.same({ nil, "timeout", "no token within 0.2 s", "no", 0, false },
        { result, err.kind, err.message, err.executed, err.attempts, ended })
      assert.is_true(driver.now() - began < 2.5)
    end)

    it("may use a token function that calls another deployment", function()
      local asking = beam.client { gateway = local_beam.url, token = function()
        local answer, err = client.call("inspect", { token = TOKEN })
        return answer and answer.input.token, err
      end }
      assert.are.same({ result = 2 }, (asking.call("multiply", { x = 1 })))
      assert.are.same({ result = 4 }, (beam.spawn(asking.call, "multiply", { x = 2 }):join(5)))
    end)

    it("says what a token function raised", function()
      local function fail()
        error("the vault is shut", 0)
      end
      for _, token in ipairs { fail, function()
        beam.sleep(0.001)
        fail()
      end } do
        local function check(result, err)
          assert.are.same({ nil, "auth", "the token function failed: the vault is shut", "the vault is shut", "no", false, 1 },
            { result, err.kind, err.message, err.cause, err.executed, err.retryable, err.attempts })
          assert.is_truthy(err.traceback:find("call_spec.lua", 1, true))
        end
        check(client.call { "multiply", input = { x = 1 }, token = token })
        check(beam.spawn(client.call, { "multiply", input = { x = 1 }, token = token }):join(5))
      end
    end)

    it("tries again if the token function could not reach its own server", function()
      local nobody = start_server {}
      nobody.close()
      local asked = 0
      local result, info = client.call { "multiply", input = { x = 1 }, retry = beam.retry.backoff { base = 0 }, token = function()
        asked = asked + 1
        if asked == 1 then
          return nil, select(2, client.call { nobody.url, retry = false })
        end
        return TOKEN
      end }
      assert.are.same({ { result = 2 }, 2, 2 }, { result, info.attempts, asked })
    end)
  end)

  describe("to any server", function()
    local server, replies
    before_each(function()
      replies = {}
      server = start_server(replies)
    end)
    after_each(function()
      server.close()
    end)

    local function call(path, options)
      options = options or {}
      options[1] = server.url .. path
      options.timeout = options.timeout or 5
      return client.call(options)
    end

    it("gives text as it is if raw is set", function()
      replies["/"] = function(request, view)
        request:respond(200, { { "content-type", "text/plain" } }, "got " .. view.body)
      end
      assert.are.same({ "got bytes", 200 }, { (call("/", { raw = true, input = "bytes" })), 200 })
    end)

    it("gives beam.null for an empty answer and for null", function()
      replies["/"] = { 204 }
      replies["/null"] = { 200, "null" }
      assert.are.equal(beam.null, (call "/"))
      assert.are.equal(beam.null, (call "/null"))
    end)

    it("is an error if the answer is no JSON", function()
      replies["/"] = { 200, "hello", { { "x-task-id", "t-1" } } }
      local result, err = call "/"
      assert.is_nil(result)
      assert.are.same({ "json", "response", 200, "yes", false, "hello", "t-1", "raw = true gives it as it is" },
        { err.kind, err.phase, err.status, err.executed, err.retryable, err.raw, err.task_id, err.hint })
    end)

    it("is an error if the input does not fit, though the status is 200", function()
      replies["/"] = { 200, '{"error":"ValidationError","message":"x is missing","field":"x"}' }
      local result, err = call "/"
      assert.is_nil(result)
      assert.are.same({ "validation", 200, "no", false, "x" }, { err.kind, err.status, err.executed, err.retryable, err.body.field })
    end)

    it("times out without knowing whether it ran", function()
      replies["/"] = function() end
      local result, err = call("/", { timeout = 0.1 })
      assert.is_nil(result)
      assert.are.same({ "timeout", "unknown", false, 1 }, { err.kind, err.executed, err.retryable, err.attempts })
      assert.is_true(err.elapsed > 0.09 and err.elapsed < 60)
    end)

    it("does not know either if the server hangs up", function()
      replies["/"] = function(request)
        request:abort(false)
      end
      local result, err = call "/"
      assert.is_nil(result)
      assert.are.same({ "http", "unknown", false }, { err.kind, err.executed, err.retryable })
    end)

    it("follows no redirect", function()
      replies["/"] = { 302, "", { { "location", server.url .. "/elsewhere" } } }
      local result, err = call "/"
      assert.is_nil(result)
      assert.are.same({ "http", 302 }, { err.kind, err.status })
    end)

    it("says after how long to try again", function()
      replies["/"] = { 429, '{"error":"Request queue full"}', { { "retry-after", "3" } } }
      local _, err = call("/", { retry = false })
      assert.are.same({ 429, "no", true, 3 }, { err.status, err.executed, err.retryable, err.retry_after })
    end)

    it("sends no credentials to a public address", function()
      local seen
      replies["/endpoint/public/3f1b6a0e-1234-4000-8000-00000000abcd"] = function(request, view)
        for _, pair in ipairs(view.headers) do
          seen = seen or pair[1] == "authorization"
        end
        request:respond(200, nil, "{}")
      end
      local at = beam.client { gateway = server.url, token = TOKEN, timeout = 5 }
      assert.are.same({}, (at.call { id = "3f1b6a0e-1234-4000-8000-00000000abcd", public = true }))
      assert.is_false(seen)
    end)

    it("shows no query in an error", function()
      replies["/"] = { 500, "" }
      local _, err = call("/", { path = "?auth_token=secret" })
      assert.is_nil(tostring(err):find("secret", 1, true))
    end)
  end)

  it("that cannot connect may be tried again", function()
    local server = start_server {}
    server.close()
    local result, err = client.call { server.url, timeout = 5, retry = false }
    assert.is_nil(result)
    assert.are.same({ "connect", "tcp", "no", true }, { err.kind, err.phase, err.executed, err.retryable })
  end)

  it("sends no credentials unencrypted to strangers", function()
    local result, err = client.call { "http://beam.example/", timeout = 5 }
    assert.is_nil(result)
    assert.are.same({ "auth", "no", false }, { err.kind, err.executed, err.retryable })
    assert.is_nil(tostring(err):find(TOKEN, 1, true))
  end)

  describe("raises for", function()
    local function message(...)
      local ok, err = pcall(client.call, ...)
      assert.is_false(ok)
      return (err:gsub("^[^ ]*:%d+: ", ""))
    end

    it("a mistake where it stands", function()
      local line = debug.getinfo(1, "l").currentline
      local mistakes = {
        function() client.call("a", { 1, 2 }) end,
        function() client.call { "a", timout = 5 } end,
        function() client.call { "a", timeout = -1 } end,
        function() pcall(error, client.call { "a", file = 3 }) end,
        function() client.stream { "a", format = "no" } end,
        function() client.map("a", { x = 1 }) end,
        function() client.submit { "a", kind = "endpoint" } end,
        function() client.tasks { limit = -1 } end,
        function() client.call { "a", max_body = 0 } end,
        function() client.stream { "a", max_body = 1.5 } end,
      }
      for i, fn in ipairs(mistakes) do
        local ok, err = pcall(fn)
        assert.is_false(ok)
        assert.is_truthy(err:find(("call_spec.lua:%d: beam."):format(line + 1 + i), 1, true), err)
      end
    end)

    it("mistakes in the input", function()
      assert.are.equal("beam.call: input is an array, and Beam wants an object: name it, as in { items = {…} }", message("a", { 1, 2 }))
      assert.are.equal("beam.call: input is an array, and Beam wants an object: name it, as in { items = {…} }", message("a", beam.array {}))
      assert.are.equal("beam.call: input is a table, not a string (raw = true sends a string as it is)", message("a", "text"))
      assert.are.equal("beam.call: a GET has no body for input: use path = '?name=value'", message { "a", method = "GET", input = {} })
    end)

    it("a target that is nil", function()
      local nothing = "beam.call: what is called comes first: the name of a deployment, its id or its URL; it is nil"
      assert.are.equal(nothing, message(nil, {}))
      assert.are.equal(nothing, message())
    end)

    it("options that are not there, or make no sense", function()
      assert.are.equal("beam.call: unknown option 'timout'; did you mean 'timeout'?", message { "a", timout = 5 })
      assert.are.equal("beam.call: 'retry' wants a function(attempt, err), beam.retry.backoff { attempts = 3 }, or false",
        message { "a", retry = 3 })
      assert.are.equal("beam.call: option 'idempotent' cannot be a string", message { "a", idempotent = "yes" })
      assert.are.equal("beam.call: option 'method' cannot be a table", message { "a", method = {} })
      assert.are.equal("beam.call: option 'headers' cannot be a string", message { "a", headers = "x-mine: yes" })
    end)
  end)

  it("warns of integers that Beam rounds", function()
    if not math.type then
      return -- every number is a float64 here
    end
    local lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    client.call("inspect", { user = { id = math.tointeger(2 ^ 53), text = "12345678901234567890" } })
    assert.are.same({}, lines)
    client.call("inspect", { user = { id = math.tointeger(2 ^ 53) + 1 } })
    log.to(nil)
    assert.are.same({ "warning: the integer at 'id' is beyond 2^53, where Beam rounds: send it as a string" }, lines)
  end)

  it("returns input that cannot be JSON as an error", function()
    local result, err = client.call("multiply", { f = print })
    assert.is_nil(result)
    assert.are.same({ "json", "no", false, 0 }, { err.kind, err.executed, err.retryable, err.attempts })
    assert.are.equal("number", type(err.elapsed))
    result, err = client.call { "multiply", file = "/no/such/file" }
    assert.are.same({ nil, "invalid", 0 }, { result, err.kind, err.attempts })
  end)
end)
