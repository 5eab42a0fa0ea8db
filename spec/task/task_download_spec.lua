-- Downloading an output: whole or not at all, without credentials for strangers, past redirects, expired addresses and lost connections.
local beam = require "beam"
local driver = require "beam.driver"
local told = require "told_api"

local TOKEN = "a-token-that-no-message-may-show"

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local bytes = file:read "*a"
  file:close()
  return bytes
end

local function authorization(view)
  for _, header in ipairs(view.headers) do
    if header[1] == "authorization" then
      return header[2]
    end
  end
end

describe("task:download", function()
  local api, storage, client, task, path
  before_each(function()
    api, storage = told.start(), told.start()
    client = assert(beam.client { gateway = api.url, token = TOKEN, workspace = told.workspace, timeout = 20 })
    task = client.task "a"
    path = os.tmpname()
    os.remove(path)
  end)
  after_each(function()
    api:close()
    storage:close()
    os.remove(path)
  end)

  local function has_output(url)
    api.tasks.a = { id = "a", status = "COMPLETE", outputs = { { name = "o", url = url, expires_in = 3600 } } }
    return api.tasks.a.outputs[1]
  end

  local function bytes(content)
    return function(request)
      request:respond(200, { { "content-type", "application/octet-stream" } }, content)
    end
  end

  local function nothing_left()
    return read(path) == nil and read(path .. ".part") == nil
  end

  it("sends no credentials", function()
    local seen = {}
    storage:on("GET /o", function(request, view)
      seen[#seen + 1] = authorization(view) or "none"
      request:respond(200, {}, "data")
    end)
    has_output(storage.url .. "/o?signature=x")
    assert.are.equal(4, (task:download("o", path)))
    assert.are.same({ "data", { "none" } }, { read(path), seen })
  end)

  it("sends them to the gateway, where that asks, and to nobody else", function()
    local seen = {}
    local function guarded(request, view)
      seen[#seen + 1] = authorization(view) or "none"
      if authorization(view) then
        return request:respond(200, {}, "data")
      end
      told.reply(request, 401, { message = "Unauthorized" })
    end
    api:on("GET /o", guarded)
    storage:on("GET /o", guarded)
    has_output(api.url .. "/o")
    assert.are.equal(4, (task:download("o", path)))
    has_output(storage.url .. "/o")
    local count, err = task:download("o", path)
    assert.is_nil(count)
    assert.are.same({ "http", 401, "a" }, { err.kind, err.status, err.task_id })
    assert.are.same({ "none", "Bearer " .. TOKEN, "none" }, seen)
  end)

  it("follows redirects, and leaves the credentials behind", function()
    local seen
    api:on("GET /files/o", function(request, view)
      if not authorization(view) then
        return told.reply(request, 401)
      end
      request:respond(302, { { "location", storage.url .. "/deep/er?x=1" } })
    end)
    storage:on("GET /deep/er", function(request)
      request:respond(307, { { "location", "../o" } })
    end)
    storage:on("GET /deep/%.%./o", function(request)
      request:respond(308, { { "location", "/o" } })
    end)
    storage:on("GET /o", function(request, view)
      seen = authorization(view) or "none"
      request:respond(200, {}, "data")
    end)
    has_output(api.url .. "/files/o")
    local count, err = task:download("o", path)
    assert.are.same({ 4, nil, "none" }, { count, err, seen })
  end)

  it("follows a redirect to the same path with another query", function()
    storage:on("GET /a/o", function(request, view)
      if view.query == "x=1" then
        return request:respond(302, { { "location", "?signed=1" } })
      end
      request:respond(200, {}, view.query)
    end)
    has_output(storage.url .. "/a/o?x=1")
    assert.are.equal(8, (task:download("o", path)))
    assert.are.equal("signed=1", read(path))
  end)

  it("waits for a token as long as it has time", function()
    api:on("GET /o", function(request)
      told.reply(request, 401)
    end)
    local fetch = require "beam.http.fetch"
    local slow = assert(beam.client { gateway = api.url, token = function()
      beam.sleep(20)
      return TOKEN
    end })
    local began = driver.now()
    local stream, err = fetch.open({ settings = slow.settings, deadline = began + 0.3 }, api.url .. "/o")
    assert.are.same({ nil, "timeout" }, { stream, err.kind })
    assert.is_true(driver.now() - began < 15)
  end)

  it("does not go round for ever, nor nowhere", function()
    storage:on("GET /loop", function(request)
      request:respond(302, { { "location", "/loop" } })
    end)
    storage:on("GET /nowhere", function(request)
      request:respond(302, { { "location", "file:///etc/passwd" } })
    end)
    for _, name in ipairs { "loop", "nowhere" } do
      has_output(storage.url .. "/" .. name)
      local count, err = task:download("o", path)
      assert.is_nil(count)
      assert.are.same({ "http", "no", false }, { err.kind, err.executed, err.retryable })
    end
    assert.are.equal(6, storage:count "loop")
    assert.is_true(nothing_left())
  end)

  it("asks for the address again when it has expired, once", function()
    storage:on("GET /old", function(request)
      told.reply(request, 403)
    end)
    storage:on("GET /new", bytes "data")
    local expired = { name = "o", url = storage.url .. "/old" }
    has_output(storage.url .. "/new")
    assert.are.equal(4, (task:download(expired, path)))
    has_output(storage.url .. "/old")
    local count, err = task:download(expired, path)
    assert.is_nil(count)
    assert.are.same({ "http", 403, false }, { err.kind, err.status, err.retryable })
    assert.are.same({ 3, 1 }, { storage:count "/old", storage:count "/new" })
  end)

  it("starts again after a lost connection, and keeps nothing of a half", function()
    local count = 0
    storage:on("GET /o", function(request)
      count = count + 1
      if count < 3 then
        request:stream_begin(200, { { "content-type", "text/plain" } })
        request:stream_write "da"
        return driver.defer(function()
          beam.sleep(0.05)
          request:abort(false)
        end)
      end
      request:respond(200, {}, "data")
    end)
    has_output(storage.url .. "/o")
    assert.are.same({ 4, "data", 3 }, { (task:download("o", path)), read(path), count })
    assert.is_nil(read(path .. ".part"))
  end)

  it("leaves nothing behind when it fails, and what was there as it was", function()
    storage:on("GET /o", function(request)
      request:stream_begin(200, {})
      request:stream_write "da"
    end)
    local output = has_output(storage.url .. "/o")
    local count, err = task:download(output, path, { timeout = 0.3 })
    assert.is_nil(count)
    assert.are.same({ "timeout", "a" }, { err.kind, err.task_id })
    assert.is_true(nothing_left())
    local file = assert(io.open(path, "w"))
    file:write "what was there"
    file:close()
    count = task:download(output, path, { timeout = 0.3 })
    assert.are.same({ nil, "what was there", nil }, { count, read(path), read(path .. ".part") })
  end)

  it("says where it cannot write", function()
    storage:on("GET /o", bytes "data")
    local output = has_output(storage.url .. "/o")
    local count, err = task:download(output, path .. "/no/folder")
    assert.is_nil(count)
    assert.are.same({ "invalid", "a" }, { err.kind, err.task_id })
    assert.is_truthy(err.message:find("the output cannot be written to", 1, true))
  end)

  it("writes to what is below /dev as it is, where no file could be exchanged for another", function()
    storage:on("GET /o", bytes "data")
    local output = has_output(storage.url .. "/o")
    local file = assert(io.open(path, "wb"))
    file:write "what was there, and "
    file:flush()
    local find = 'for fd in /proc/$PPID/fd/*; do [ "$(readlink $fd)" = %s ] && echo ${fd##*/}; done'
    local pipe = assert(io.popen(find:format(path)))
    local number = pipe:read "*l"
    pipe:close()
    assert.are.same({ 4, nil }, { task:download(output, "/dev/fd/" .. number) })
    file:close()
    assert.are.same({ "what was there, and data", nil }, { read(path), read(path .. ".part") })
  end)

  it("takes no more than it may", function()
    storage:on("GET /o", bytes(("x"):rep(1000)))
    local output = has_output(storage.url .. "/o")
    local count, err = task:download(output, path, { max_body = 100 })
    assert.is_nil(count)
    assert.are.equal("too_large", err.kind)
    assert.is_true(nothing_left())
    assert.are.equal(1000, (task:download(output, path, { max_body = 2 ^ 33 })))
    os.remove(path)
  end)

  it("shows no signature in an error", function()
    storage:on("GET /o", function(request)
      told.reply(request, 400, { message = "no" })
    end)
    has_output(storage.url .. "/o?signature=secret")
    local _, err = task:download("o", path)
    assert.are.equal(400, err.status)
    assert.is_nil((tostring(err)):find("secret", 1, true))
  end)

  it("names the outputs that there are, and passes over what is none", function()
    api.tasks.a = { id = "a", status = "COMPLETE", outputs = { beam.null, 5, { url = "http://h/" }, { name = "o", url = "http://h/" } } }
    local count, err = task:download("x", path)
    assert.are.same({ nil, "invalid", "it has: o" }, { count, err.kind, err.hint })
  end)

  it("refuses what is no URL", function()
    has_output "file:///etc/passwd"
    local count, err = task:download("o", path)
    assert.is_nil(count)
    assert.are.same({ "invalid", "the output's URL is no http:// or https:// URL" }, { err.kind, err.message })
  end)
end)
