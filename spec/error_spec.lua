local errors = require "beam.error"

local function core_error(kind, sent, message)
  return { kind = kind, message = message or "it failed", phase = "tls", host = "h:443", sent = sent }
end

describe("error", function()
  it("reads well", function()
    local err = errors.new { kind = "dns", message = "no such host" }
    assert.are.same({ "dns: no such host", "no", false }, { tostring(err), err.executed, err.retryable })
    err.hint = "check the name"
    assert.are.equal("dns: no such host (check the name)", tostring(err))
    assert.is_true(errors.is(err))
    assert.is_false(errors.is { kind = "dns" })
    assert.is_false(errors.is "dns")
  end)

  it("of a script keeps its lines, and nothing else that a terminal obeys", function()
    local err = errors.from_script("one\ntwo\27[31m", coroutine.create(function() end))
    assert.are.equal("one\ntwo\\x1b[31m", err.message)
  end)

  describe("of the core", function()
    -- kind, sent, text, executed, retryable
    local rows = {
      { "dns", false, "", "no", true },
      { "connect", false, "", "no", true },
      { "tls", false, "the handshake was cut off", "no", true },
      { "tls", false, "the certificate has expired", "no", false },
      { "timeout", false, "", "no", true },
      { "timeout", true, "", "unknown", false },
      { "http", true, "", "unknown", false },
      { "too_large", true, "", "unknown", false },
      { "auth", false, "", "no", false },
      { "invalid", false, "", "no", false },
    }
    for _, row in ipairs(rows) do
      it(("%s, %s %s"):format(row[1], row[2] and "sent" or "not sent", row[3]), function()
        local err = errors.from_core(core_error(row[1], row[2], row[3]), "POST https://h/")
        assert.are.same({ row[1], row[4], row[5], "POST https://h/: " .. row[3], "tls", "h:443" },
          { err.kind, err.executed, err.retryable, err.message, err.phase, err.host })
      end)
    end

    it("while connecting runs no handler, even if the upgrade was sent", function()
      local err = errors.from_attempt(core_error("timeout", true), "wss://h/")
      assert.are.same({ "timeout", "no", true }, { err.kind, err.executed, err.retryable })
      err = errors.from_attempt(core_error("handshake", true), "wss://h/")
      assert.are.same({ "handshake", "no", false }, { err.kind, err.executed, err.retryable })
    end)
  end)

  describe("of a close", function()
    local codes = { [1000] = false, [1001] = true, [1006] = true, [1008] = false, [1009] = false, [1011] = true, [1012] = true, [1014] = true, [4000] = false }
    for code, retryable in pairs(codes) do
      it(code .. " leaves open what was handled", function()
        local err = errors.from_close("wss://h/", code, "why")
        assert.are.same({ "closed", code, "why", "unknown", retryable, "wss://h/ was closed with " .. code .. ": why" },
          { err.kind, err.code, err.reason, err.executed, err.retryable, err.message })
      end)
    end

    it("by a failure says which", function()
      local err = errors.from_close("wss://h/", 1006, "", core_error("protocol", true, "a masked frame"))
      assert.are.same({ "protocol", "wss://h/: a masked frame", 1006, "tls", false }, { err.kind, err.message, err.code, err.phase, err.retryable })
    end)
  end)

  it("suggests what may have been meant", function()
    local known, later = { timeout = true, headers = true }, { retry = true }
    local function message(option)
      local _, err = pcall(errors.check_options, { [option] = 1 }, known, "beam.call", later)
      return err:gsub("^[^:]*:%d+: ", "")
    end
    assert.are.equal("beam.call: unknown option 'timout'; did you mean 'timeout'?", (message "timout"))
    assert.are.equal("beam.call: unknown option 'Headers'; did you mean 'headers'?", (message "Headers"))
    assert.are.equal("beam.call: unknown option 'colour'", (message "colour"))
    local suggest = require "beam.base.suggest"
    assert.are.same({ "token", "input", "retry" }, { suggest("tokne", { token = 1 }), suggest("inptu", { input = 1 }), suggest("retyr", { retry = 1 }) })
    assert.are.equal("beam.call: option 'retry' is not available yet", (message "retry"))
  end)
end)
