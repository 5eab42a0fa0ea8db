-- Uploads from strings, files and functions, to a server that takes them in its own ways (tests/core/http/http_uploads.py).
local beam = require "beam"
local driver = require "beam.driver"
local start_host = require("stream_host").start

local host, path
local pattern = ("0123456789abcdef"):rep(4096) -- 64 KiB

local function call(options)
  options.url = host.url
  options.path = options.path or "/take"
  return host.client.call(options)
end

-- A function that gives `count` pieces.
local function pieces(count, piece)
  local given = 0
  return function()
    given = given + 1
    return given <= count and (piece or pattern) or nil
  end
end

local function facts(err)
  return { err.kind, (err.message:gsub("http://[%d.:]+", "URL")), err.executed, err.retryable, err.attempts }
end

setup(function()
  host = start_host(beam)
  path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  for _ = 1, 48 do
    file:write(pattern)
  end
  file:write "the end"
  file:close()
end)
teardown(function()
  os.remove(path)
  host.stop()
end)

local file_size = 48 * 65536 + 7

describe("upload", function()
  local crc -- of the file

  it("a file by its path, with its length", function()
    local result = assert(call { file = path })
    crc = result.crc
    assert.same({ file_size, false, "application/json", "POST" }, { result.length, result.chunked, result["content-type"], result.method })
    assert.same({ tostring(file_size), nil, nil }, { result["content-length"], result["transfer-encoding"], result.expect })
  end)

  it("an open file, from where it stands", function()
    local file = assert(io.open(path, "rb"))
    file:seek("set", file_size - 7)
    local result = assert(call { body = file, method = "PUT", headers = { ["Content-Type"] = "application/octet-stream" } })
    assert.same({ 7, false, "application/octet-stream", "PUT" }, { result.length, result.chunked, result["content-type"], result.method })
    assert.equal("file", io.type(file)) -- it is the caller's
    file:close()
  end)

  it("a pipe that has a name, from its first byte on", function()
    local pipe = os.tmpname()
    os.remove(pipe)
    os.execute("mkfifo " .. pipe)
    os.execute(("(exec 3<>%s; cat %s >&3) &"):format(pipe, path))
    local result = assert(call { file = pipe })
    os.remove(pipe)
    assert.same({ file_size, true, crc }, { result.length, result.chunked, result.crc })
  end)

  it("what a program writes, chunked", function()
    local pipe = assert(io.popen("cat " .. path, "r"))
    local result = assert(call { body = pipe })
    pipe:close()
    assert.same({ file_size, true, crc }, { result.length, result.chunked, result.crc })
  end)

  it("a function, chunked or with the length that is said", function()
    local result = assert(call { body = pieces(3) })
    assert.same({ 3 * 65536, true }, { result.length, result.chunked })
    result = assert(call { body = pieces(3), body_size = 3 * 65536 })
    assert.same({ 3 * 65536, false }, { result.length, result.chunked })
    result = assert(call { body = pieces(1000, "x") })
    assert.equal(1000, result.length)
    assert.same({ 0, true }, { assert(call { body = pieces(0) }).length, true })
    local function with_empty_ones()
      local parts = { "a", "", "b" }
      return function()
        return table.remove(parts, 1)
      end
    end
    assert.equal(2, assert(call { body = with_empty_ones() }).length)
  end)

  it("a string, as it is", function()
    assert.same({ 5, "application/json" }, { assert(call { body = "[1,2]" }).length, assert(call { body = "[1,2]" })["content-type"] })
  end)

  it("a function may wait, and others go on meanwhile", function()
    local beats = 0
    local result
    beam.run(function()
      local done = false
      beam.spawn(function()
        while not done do
          beats = beats + 1
          beam.sleep(0.005)
        end
      end)
      local left = 5
      result = call {
        body = function()
          beam.sleep(0.02)
          left = left - 1
          return left >= 0 and "piece" or nil
        end,
      }
      done = true
    end)
    assert.equal(25, result.length)
    assert.is_true(beats >= 5, beats)
  end)

  it("asks for no more than the server takes", function()
    local asked, given = 0, pieces(1024)
    local result
    local uploading = beam.spawn(function()
      result = call {
        path = "/hold",
        body = function()
          asked = asked + 1
          return given()
        end,
      }
    end)
    local stuck
    repeat -- until nothing moves: how long that takes is the machine's to say
      stuck = asked
      driver.sleep(0.5)
    until stuck > 0 and stuck == asked
    assert.is_true(stuck > 0 and stuck < 1000, stuck) -- what the two sockets and the queue hold
    driver.sleep(0.2)
    assert.equal(stuck, asked)
    assert(host.client.call { url = host.url, path = "/release" })
    uploading:join(20)
    assert.equal(1024 * 65536, result.length)
  end)

  it("of many bytes takes little memory", function()
    collectgarbage()
    local most, before, given = 0, collectgarbage "count", pieces(256)
    local result = assert(call {
      body = function()
        collectgarbage()
        most = math.max(most, collectgarbage "count")
        return given()
      end,
    })
    assert.equal(256 * 65536, result.length)
    assert.is_true(most < before + 1024, ("%.0f KiB, at first %.0f KiB"):format(most, before))
  end)

  it("and its answer may be streamed meanwhile", function()
    local stream = assert(host.client.stream { url = host.url, path = "/echo", body = pieces(100), format = "raw" })
    local size = 0
    for bytes in stream do
      size = size + #bytes
    end
    assert.same({ 100 * 65536, nil }, { size, stream.err })
  end)
end)

describe("upload, how it fails", function()
  it("an early answer is the answer, and ends the asking", function()
    local asked = 0
    local result, err = call {
      path = "/early?status=401&close&linger",
      body = function()
        asked = asked + 1
        return pattern
      end,
    }
    assert.same({ nil, "http", 401, { message = "Unauthorized" } }, { result, err.kind, err.status, err.body })
    local after = asked
    driver.sleep(0.05)
    assert.equal(after, asked)
  end)

  it("a function that fails", function()
    local before = host.count "/take"
    local count = 0
    local function broken(how)
      count = 0
      return function()
        count = count + 1
        if count == 3 then
          return how()
        end
        return "piece"
      end
    end
    local result, err = call { body = broken(function()
      error "out of data"
    end) }
    assert.same({ nil, "script", "unknown", false, 1 }, { result, err.kind, err.executed, err.retryable, err.attempts })
    assert.is_truthy(err.message:find("out of data", 1, true))
    local _
    _, err = call { body = broken(function()
      return nil, "the disk is gone"
    end) }
    assert.same({ "invalid", "the body broke off: the disk is gone", "unknown", false, 1 }, facts(err))
    _, err = call { body = broken(function()
      return 5
    end) }
    assert.equal("the function that gives the body returned a number instead of a string", err.message)
    assert.is_true(host.count "/take" - before <= 3) -- none was sent again
  end)

  it("a length that does not fit", function()
    local _, err = call { body = pieces(2, "12345"), body_size = 11 }
    assert.same({ "invalid", "the body ended before the 11 bytes that were announced", "unknown", false, 1 }, facts(err))
    _, err = call { body = pieces(2, "12345"), body_size = 9 }
    assert.same({ "invalid", "the body is longer than the 9 bytes that were announced", "unknown", false, 1 }, facts(err))
  end)

  it("a file that is not there, or is none", function()
    local _, err = call { file = "/no/such/file" }
    assert.same({ "invalid", "the file to send cannot be read: /no/such/file: No such file or directory", "no", false, 0 }, facts(err))
    _, err = call { file = "/tmp" }
    assert.same({ "invalid", "the file to send cannot be read: /tmp: Is a directory", "no", false, 0 }, facts(err))
  end)

  it("files and strings are sent again, functions never once they were asked", function()
    local function retry(attempt)
      return attempt < 4 and 0 or nil
    end
    local failures = 0
    local function flaky(options)
      failures = host.count "/flaky" + 2
      options.path, options.retry = "/flaky?failures=" .. failures, retry
      return call(options)
    end
    local result, info = flaky { file = path }
    assert.same({ file_size, 3 }, { result.length, info.attempts })
    local file = assert(io.open(path, "rb"))
    file:seek("set", 7)
    result, info = flaky { body = file }
    file:close()
    assert.same({ file_size - 7, 3 }, { result.length, info.attempts })
    result, info = flaky { body = "[]" }
    assert.same({ 2, 3 }, { result.length, info.attempts })
    local before = host.count "/flaky"
    local nothing, err = flaky { body = pieces(2), idempotent = true }
    assert.same({ nil, 503, 1, before + 1 }, { nothing, err.status, err.attempts, host.count "/flaky" })
    local pipe = assert(io.popen "echo '[1]'") -- what was read of it cannot be read again
    before = host.count "/flaky"
    nothing, err = flaky { body = pipe, idempotent = true }
    pipe:close()
    assert.same({ nil, 503, 1, before + 1 }, { nothing, err.status, err.attempts, host.count "/flaky" })
    local refused = assert(beam.client { token = false })
    nothing, err = refused.call { url = "http://127.0.0.1:1", body = pieces(1), retry = false }
    assert.same({ nil, "connect", "no" }, { nothing, err.kind, err.executed })
  end)

  it("a cancelled one is asked for no more", function()
    local asked = 0
    local stream = assert(host.client.stream {
      url = host.url,
      path = "/echo",
      format = "raw",
      body = function()
        asked = asked + 1
        return pattern
      end,
    })
    assert.is_string((stream:next()))
    stream:close()
    driver.sleep(0.05)
    local after = asked
    driver.sleep(0.1)
    assert.equal(after, asked)
  end)

  it("mistakes raise", function()
    local function raises(options, message)
      local ok, raised = pcall(call, options)
      assert.same({ false, message }, { ok, (tostring(raised):gsub("^spec/[^:]*:%d+: ", "")) })
    end
    raises({ body = "x", file = "y" }, "beam.call: one of input, body and file")
    raises({ body = "x", input = {} }, "beam.call: one of input, body and file")
    raises({ body = 5 }, "beam.call: body is a string, an open file or a function that gives the next piece, not a number")
    raises({ file = 5 }, "beam.call: file is a path, not a number")
    raises({ body = pieces(1), body_size = -1 }, "beam.call: body_size is a number of bytes")
    raises({ body_size = 1 }, "beam.call: body_size is for body and file")
    raises({ body = "x", method = "GET" }, "beam.call: a GET has no body")
    local closed = assert(io.open(path, "rb"))
    closed:close()
    raises({ body = closed }, "beam.call: body is a string, an open file or a function that gives the next piece, not a closed file")
  end)
end)
