local answer = require "beam.http.answer"
local answer_error = require "beam.http.answer_error"
local errors = require "beam.error"

local function fields(err)
  return { err.kind, err.status, err.executed, err.retryable }
end

local function core_error(kind, sent, message)
  return { kind = kind, message = message or "it failed", phase = "tls", host = "h:443", sent = sent }
end

local function response(status, body, headers)
  return { status = status, body = body, headers = headers or {} }
end

local function called(...)
  return answer_error.from_response("POST https://h/", response(...), "bearer")
end

local function rejected(...)
  return answer_error.from_rejection("wss://h/", response(...), "bearer")
end

describe("an answer that is an error", function()
  it("that breaks off hands on no credentials that it repeats", function()
    local secret = "a-token-that-stays-here"
    require("beam.settings.secrets").learn(secret)
    local broken = response(500, "you sent " .. secret, { ["x-echo"] = secret })
    local _, err, last = answer.read("POST https://h/", "bearer", {}, core_error("http", true), broken)
    err = answer.describe(err, last, 1, 0)
    assert.are.same({ "http", "you sent [secret]", "[secret]" }, { err.kind, err.raw, err.headers["x-echo"] })
  end)

  describe("of a call", function()
    -- docs/wire.md section 4: status, body, headers, executed, retryable, a part of the text
    local rows = {
      { 400, '{"error":"invalid request payload"}', {}, "no", false, "Beam wants a JSON object" },
      { 400, '{"message":"Deployment is not active"}', {}, "no", false, "Deployment is not active" },
      { 401, '{"message":"Invalid token"}', {}, "no", false, "the token was not accepted" },
      { 404, '{"message":"Not Found"}', {}, "no", false, "beam.address" },
      { 404, '{"message":"You need more tokens"}', { ["x-task-id"] = "t" }, "yes", false, "the handler itself answered" },
      { 422, '{"detail":[{"msg":"field required"}]}', {}, "unknown", false, "field required" },
      { 429, '{"error":"exceeded max pending tasks: 100"}', {}, "no", true, "exceeded max pending tasks: 100" },
      { 429, '{"error":"Request queue full"}', { ["x-task-id"] = "t" }, "no", true, "queue" },
      { 429, '{"error":"slow down"}', { ["x-task-id"] = "t" }, "yes", false, "slow down" },
      { 503, '{"error":"No compute capacity for GPU type H100"}', {}, "no", true, "H100" },
      { 503, "", {}, "unknown", false, "503" },
      { 504, '{"error":"Timed out waiting for a backend container"}', { ["x-task-id"] = "t" }, "no", true, "try again" },
      { 504, "<html>", {}, "unknown", false, "may still be running" },
      { 502, '{"error":"Backend route unavailable"}', { ["x-task-id"] = "t" }, "unknown", false, "err.task_id" },
      { 500, '{"error":"Traceback (most recent call last): …\\nValueError: x"}', {}, "yes", false, "ValueError: x" },
      { 400, '{"message":"Invalid deployment version"}', {}, "no", false, "a version is v and a number" },
      { 400, '{"message":"Invalid stub"}', {}, "no", false, "there is no such id" },
      { 400, '{"detail":"Task ID missing"}', { ["x-task-id"] = "t" }, "no", false, "X-Task-Id" },
      { 409, '{"detail":"Gateway rejected task start"}', { ["x-task-id"] = "t" }, "no", false, "cancelled" },
      { 409, '{"message":"a handler of its own"}', { ["x-task-id"] = "t" }, "yes", false, "the handler itself" },
      { 409, "", {}, "unknown", false, "409" },
      { 502, '{"detail":"Gateway failed to start task"}', { ["x-task-id"] = "t" }, "no", true, "could not begin" },
      { 503, '{"detail":"Container task lifecycle capacity exhausted"}', { ["x-task-id"] = "t" }, "no", true, "could not begin" },
      { 503, '{"detail":"Gateway temporarily unavailable while starting task"}', { ["x-task-id"] = "t" }, "no", true, "could not begin" },
      { 500, '{"error":"concurrency_limit_reached: gpu quota of 2"}', {}, "no", true, "limit is reached" },
      { 500, '{"error":"concurrency_limit_reached: gpu quota of 2"}', { ["x-task-id"] = "t" }, "yes", false, "the handler failed" },
      { 500, '{"error":"Traceback …: concurrency_limit_reached: gpu"}', {}, "yes", false, "the handler failed" },
      { 302, "", {}, "unknown", false, "redirects are not followed" },
      { 304, "", {}, "unknown", false, "nothing has changed" },
      { 418, "short and stout", {}, "unknown", false, "short and stout" },
    }
    for _, row in ipairs(rows) do
      it(row[1] .. " " .. row[2], function()
        local err = called(row[1], row[2], row[3])
        assert.are.same({ "http", row[1], row[4], row[5] }, fields(err))
        assert.is_truthy(tostring(err):find(row[6], 1, true), tostring(err))
        assert.are.equal(row[3]["x-task-id"], err.task_id)
      end)
    end

    it("carries the body, decoded where it is JSON", function()
      assert.are.same({ error = "x" }, called(500, '{"error":"x"}').body)
      assert.are.equal("plain", called(500, "plain").body)
      assert.are.equal("{broken", called(500, "{broken").body)
      assert.is_nil(called(500, "").body)
      assert.is_nil(called(500, nil).body)
    end)

    it("quotes both ends of a long text", function()
      local err = called(500, "the first line" .. ("x"):rep(5000) .. "the last line")
      assert.is_true(#err.message < 500)
      assert.is_truthy(err.message:find("500: the first linex+ … x+the last line$"))
      assert.are.equal(5027, #err.body)
    end)

    it("is one line without control characters, whoever wrote it; the body has it as it came", function()
      local said = "\27]0;owned\7\27[31mred\r\nbeam: error: forged\194\155\226\128\174\255"
      local shown = [[\x1b]0;owned\a\x1b[31mred\r\nbeam: error: forged\u{9b}\u{202e}\xff]]
      local told = { called(403, said), rejected(403, said), errors.from_close("wss://h/", 1000, said), errors.from_core(core_error("http", true, said)) }
      for _, err in ipairs(told) do
        assert.is_truthy(tostring(err):find(shown, 1, true), tostring(err))
        assert.is_nil(tostring(err):find "[%z\1-\31\127]")
      end
      assert.are.same({ said, said }, { told[1].body, told[3].reason })
    end)

    it("says after how long to try again, if the server does", function()
      assert.are.equal(7, called(429, "", { ["retry-after"] = "7" }).retry_after)
      assert.is_nil(called(429, "", { ["retry-after"] = "soon" }).retry_after)
    end)

    it("reads a date in Retry-After, by the server's clock where it shows it", function()
      local at = "Sun, 06 Nov 1994 08:49:37 GMT"
      local function seconds(date)
        return called(429, "", { ["retry-after"] = at, date = date }).retry_after
      end
      assert.are.equal(90, seconds "Sun, 06 Nov 1994 08:48:07 GMT")
      assert.are.equal(0, seconds "Sun, 06 Nov 1994 09:00:00 GMT")
      assert.are.equal(0, seconds(nil)) -- long ago
      at = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 120)
      local left = seconds(nil)
      assert.is_true(left >= 118 and left <= 120, left)
      assert.is_true(rejected(503, "", { ["retry-after"] = at }).retry_after >= 118)
    end)

    it("explains a 401 by how we authenticated", function()
      local function hint(scheme)
        return answer_error.from_response("POST https://h/", response(401, ""), scheme).hint
      end
      assert.is_truthy(hint("basic"):find("newer deployments want a Bearer token", 1, true))
      assert.is_truthy(hint("none"):find("no credentials were sent", 1, true))
      assert.is_truthy(hint("bearer"):find("the token was not accepted", 1, true))
    end)

    it("with status 200 is found by its body", function()
      local body = { error = "ValidationError", message = "x is missing", field = "x" }
      local err = answer_error.from_validation("POST https://h/", response(200, "…", { ["x-task-id"] = "t" }), body)
      assert.are.same({ "validation", 200, "no", false }, fields(err))
      assert.are.same({ "POST https://h/: the input does not fit the handler at 'x': x is missing", "t", body }, { err.message, err.task_id, err.body })
      assert.is_nil(answer_error.from_validation("", response(200), { error = "x" }))
      assert.is_nil(answer_error.from_validation("", response(200), "ValidationError"))
    end)
  end)

  describe("of a rejected upgrade", function()
    local statuses = { [400] = false, [401] = false, [403] = false, [404] = false, [429] = true, [500] = true, [503] = true, [504] = true, [302] = false }
    for status, retryable in pairs(statuses) do
      it(status .. " says that no handler ran", function()
        assert.are.same({ "handshake", status, "no", retryable }, fields(rejected(status, '{"error":"why"}')))
      end)
    end

    it("404 says what to check", function()
      assert.is_truthy(rejected(404, "").hint:find("of kind asgi", 1, true))
    end)

    it("304 is no redirect", function()
      assert.is_truthy(rejected(304, "").hint:find("nothing has changed", 1, true))
    end)
  end)
end)
