-- Files into volumes and out of them: whole or not at all, through lost connections, and no further than the chosen folder.
local beam = require "beam"
local driver = require "beam.driver"
local log = require "beam.log"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "a-token-that-no-message-may-show"
local at_once = beam.retry.backoff { base = 0.001, max = 0.01, attempts = 50 }

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

-- Bytes that repeat nowhere near.
local function bytes(count)
  local parts = {}
  for i = 1, math.ceil(count / 8) do
    parts[i] = ("%08d"):format(i)
  end
  return table.concat(parts):sub(1, count)
end

local folder

describe("a volume", function()
  local app, server, client, volume
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder))
  end)
  teardown(function()
    os.execute("rm -rf " .. folder)
  end)
  before_each(function()
    log.to(function() end)
    app = serve.new()
    app.endpoint("size", function(input)
      return { url = input.url }
    end)
    server = assert(app.listen { token = TOKEN, log = function() end })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
    volume = client.volume "data"
  end)
  after_each(function()
    app:close()
    log.to(nil)
  end)

  for _, storage in ipairs { true, false } do
    describe(storage and "in a storage" or "through the gateway", function()
      before_each(function()
        app.tasks.volumes.has_storage = storage
      end)

      it("takes files and gives them back", function()
        local text = bytes(300000)
        write(folder .. "/in", text)
        local told_of = {}
        assert(volume:upload(folder .. "/in", "2026/a b+c%.bin", {
          progress = function(sent, total)
            told_of = { sent, total }
          end,
        }))
        assert.are.same({ 300000, 300000 }, told_of)
        assert.are.same({ { "2026", true } }, { { volume:list()[1].path, volume:list()[1].is_dir } })
        local entry = assert(volume:list "2026")[1]
        assert.are.same({ "2026/a b+c%.bin", 300000, false }, { entry.path, entry.size, entry.is_dir })
        assert.are.equal(300000, (volume:download("2026/a b+c%.bin", folder .. "/out", {
          progress = function(got, total)
            told_of = { got, total }
          end,
        })))
        assert.are.same({ 300000, 300000 }, told_of)
        assert.is_true(read(folder .. "/out") == text)
        assert.is_nil(read(folder .. "/out.part"))
      end)

      it("takes what a function or an open file gives, and nothing at all", function()
        local pieces = { "one ", "two ", "three" }
        assert(volume:upload(function()
          return table.remove(pieces, 1)
        end, "f"))
        local file = assert(io.open(folder .. "/of", "w+b"))
        file:write "from a file"
        file:seek("set", 5)
        assert(volume:upload(file, "o"))
        file:close()
        write(folder .. "/empty", "")
        assert(volume:upload(folder .. "/empty", "e"))
        assert.are.equal(13, (volume:download("f", folder .. "/f")))
        assert.are.same({ "one two three", 6, 0 }, { read(folder .. "/f"), (volume:download("o", folder .. "/o")), (volume:download("e", folder .. "/e")) })
        assert.are.same({ "a file", "" }, { read(folder .. "/o"), read(folder .. "/e") })
      end)

      it("says that it is full, and keeps what it had", function()
        write(folder .. "/in", "12345")
        assert(volume:upload(folder .. "/in", "kept"))
        app.tasks.volumes.bytes = 512 * 1024 * 1024
        write(folder .. "/in", "123456")
        local ok, err = volume:upload(folder .. "/in", "kept")
        assert.is_nil(ok)
        assert.is_truthy(tostring(err):find("hold 512 MiB", 1, true), tostring(err))
        assert.are.equal(5, (volume:download("kept", folder .. "/out")))
      end)

      it("gives a URL for the input of a handler", function()
        write(folder .. "/talk.wav", "la la")
        local url, where = client.upload(folder .. "/talk.wav")
        assert.is_truthy(url:find "^http://127%.0%.0%.1:%d+/")
        assert.are.equal("uploads", where.volume)
        assert.is_truthy(where.path:find "^talk_%x+%.wav$")
        local fetched, status = beam.client({ token = false, gateway = server.url }).call { url = url, method = "GET", raw = true }
        assert.are.same({ "la la", 200 }, { fetched, status.status })
        local again, there = client.upload(folder .. "/talk.wav", { volume = "talks" })
        assert.is_truthy(again and there.path ~= where.path)
        assert.are.same({ "talks", "uploads" }, { assert(client.volumes())[1].name, client.volumes()[2].name })
      end)
    end)
  end

  it("moves and removes what is in it", function()
    for _, path in ipairs { "a/1", "a/2", "b/3" } do
      assert(volume:upload(function() end, path))
    end
    assert(volume:move("a", "c/d"))
    assert.are.equal("c/d/1", assert(volume:list "c/d")[1].path)
    assert(volume:remove "c/d/1")
    assert.are.equal(1, #assert(volume:list "c/d"))
    assert(volume:remove "c")
    assert.are.same({ 1, "b" }, { #assert(volume:list()), volume:list()[1].path })
    local done, err = volume:move("nothing", "x")
    assert.are.same({ nil, "http", "moving data/nothing: unable to move" }, { done, err.kind, err.message })
    done, err = client.volume("nowhere"):list()
    assert.are.same({ nil, 500 }, { done, err.status })
    done, err = volume:download("nothing", folder .. "/none")
    assert.are.same({ nil, 404, nil }, { done, err.status, read(folder .. "/none") })
    assert.is_truthy(err.message:find("^volume data has no file nothing: GET http://.* was answered with 404"), err.message)
    assert.are.equal("volume:list() gives the paths that there are", err.hint)
  end)

  it("takes no folder for a file", function()
    for _, upload in ipairs {
      function()
        return client.upload "/"
      end,
      function()
        return volume:upload("/", "x")
      end,
    } do
      local done, err = upload()
      assert.are.same({ nil, "invalid", "no" }, { done, err.kind, err.executed })
      assert.is_truthy(err.message:find("cannot be read: /: ", 1, true), err.message)
    end
  end)

  it("is asked for with a mistake", function()
    for _, row in ipairs {
      { "list", { "../x" }, "volume:list: '..' leads out of the volume" },
      { "upload", { "x", "" }, "volume:upload: a path in the volume is a text" },
      { "upload", { 7, "x" }, "volume:upload: what to upload is a path, an open file, or a function that gives the next piece, not a number" },
      { "download", { "x" }, "volume:download wants a path to write to" },
      { "upload", { "x", "y", { progess = 1 } }, "volume:upload: unknown option 'progess'; did you mean 'progress'?" },
    } do
      local ok, problem = pcall(volume[row[1]], volume, row[2][1], row[2][2], row[2][3])
      assert.are.same({ false, row[3] }, { ok, (problem:gsub("^.-:%d+: ", "")) })
    end
    assert.has_error(function()
      client.volume "a/b"
    end)
    local none, err = volume:upload(folder .. "/not-there", "x")
    assert.are.same({ nil, "invalid" }, { none, err.kind })
    none, err = beam.client({ gateway = server.url, token = TOKEN, api_version = "v2" }).volume("x"):list()
    assert.are.same({ nil, "Beam's public API has no volumes" }, { none, err.message })
  end)
end)

-- A storage that does what it is told.
describe("a transfer", function()
  local api, client, volume, text, ranges
  before_each(function()
    log.to(function() end)
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder))
    api, text, ranges = told.start(), bytes(100000), {}
    client = assert(beam.client { gateway = api.url, token = TOKEN, timeout = 20 })
    volume = client.volume "data"
    api:on("GET /volume/[^/]+/generate%-download%-url/.*", function(request)
      told.reply(request, 200, api.url .. "/stored")
    end)
    api:on("GET /volume/[^/]+/generate%-upload%-url/.*", function(request)
      told.reply(request, 200, api.url .. "/stored")
    end)
  end)
  after_each(function()
    api:close()
    log.to(nil)
    os.execute("rm -rf " .. folder)
  end)

  it("says that a move may have been made where an answer was lost", function()
    local count = 0
    api:on("POST /api/v1/gateway/volumes/.*/move", function(request)
      count = count + 1
      if count == 1 then
        return request:abort(false)
      end
      told.reply(request, 200, { ok = false, err_msg = "no such file" })
    end)
    local hint = "an attempt before this one failed, and may have done it: look before you ask again"
    local done, err = volume:move("a", "b")
    assert.are.same({ nil, "moving data/a: no such file", hint }, { done, err.message, err.hint })
    done, err = volume:move("a", "b") -- and at once: it is as it is told
    assert.are.same({ nil, "moving data/a: no such file", nil }, { done, err.message, err.hint })
  end)

  local function header(view, name)
    for _, pair in ipairs(view.headers) do
      if pair[1] == name then
        return pair[2]
      end
    end
  end

  -- Gives the text from where it is asked for, so many bytes at a time, then cuts; tag: an ETag, or a function of the number of the request.
  -- After `answers` of them it says nothing any more.
  local function stored(size, tag, answers)
    api:on("GET /stored", function(request, view)
      local first = tonumber((header(view, "range") or ""):match "^bytes=(%d+)%-$")
      ranges[#ranges + 1] = first or false
      if answers and #ranges > answers then
        return
      end
      local now = type(tag) == "function" and tag(#ranges) or tag
      if first and header(view, "if-range") ~= now then
        first = nil
      end
      local headers = now and { { "etag", now } } or {}
      local from = first or 0
      headers[#headers + 1] = { "content-length", tostring(#text - from) }
      if first then
        headers[#headers + 1] = { "content-range", ("bytes %d-%d/%d"):format(first, #text - 1, #text) }
      end
      request:stream_begin(first and 206 or 200, headers)
      request:stream_write(text:sub(from + 1, from + size))
      if from + size < #text then
        driver.defer(function()
          beam.sleep(0.02) -- what was written is to arrive
          request:abort(false)
        end)
      else
        request:stream_end()
      end
    end)
  end

  it("that breaks off goes on where it was", function()
    stored(9000, '"one"')
    assert.are.equal(100000, (volume:download("x", folder .. "/x")))
    assert.is_true(read(folder .. "/x") == text)
    assert.are.same({ 12, false, true }, { #ranges, ranges[1], ranges[12] > 90000 })
    assert.is_nil(read(folder .. "/x.part"))
  end)

  it("begins anew where it is another thing by now", function()
    local other = bytes(200000):sub(100001)
    stored(60000, function(number)
      if number > 1 then
        text = other
      end
      return number == 1 and '"one"' or '"two"'
    end)
    assert.are.equal(100000, (volume:download("x", folder .. "/x")))
    assert.is_true(read(folder .. "/x") == other)
  end)

  it("begins anew where nothing says that it is the same thing", function()
    stored(60000, nil)
    local count, err = volume:download("x", folder .. "/x", { timeout = 3 })
    assert.is_nil(count)
    assert(err.kind == "http" or err.kind == "timeout" or err.kind == "closed", err.kind)
    for _, range in ipairs(ranges) do
      assert.is_false(range)
    end
    assert.are.same({ nil, nil }, { read(folder .. "/x"), read(folder .. "/x.part") })
  end)

  it("that was given up goes on later, where that is wanted", function()
    stored(30000, '"one"', 1)
    local count = volume:download("x", folder .. "/x", { resume = true, timeout = 3 })
    assert.is_nil(count)
    local part = read(folder .. "/x.part")
    assert.is_truthy(part and #part >= 30000 and #part < 100000)
    ranges = {}
    stored(30000, '"one"')
    assert.are.equal(100000, (volume:download("x", folder .. "/x", { resume = true })))
    assert.is_true(ranges[1] >= 30000)
    assert.is_true(read(folder .. "/x") == text)
    assert.are.same({ nil, nil }, { read(folder .. "/x.part"), read(folder .. "/x.part.from") })
  end)

  it("leaves nothing that the next one would take for its own", function()
    stored(30000, '"one"', 1)
    assert.is_nil((volume:download("x", folder .. "/x", { resume = true, timeout = 1 })))
    assert.are.equal('"one"\n', read(folder .. "/x.part.from"))
    local beside = {}
    stored(100000, '"two"')
    local function progress()
      beside[#beside + 1] = read(folder .. "/x.part.from") or "nothing"
    end
    assert.are.equal(100000, (volume:download("x", folder .. "/x", { progress = progress })))
    for _, found in ipairs(beside) do
      assert.are.equal("nothing", found)
    end
    assert.is_true(#beside > 0)
  end)

  it("that is shorter than it was to be is none", function()
    api:on("GET /stored", function(request)
      ranges[#ranges + 1] = true
      request:respond(206, { { "content-range", "bytes 0-9/100" } }, "0123456789")
    end)
    local count, err = volume:download("x", folder .. "/x")
    assert.are.same({ nil, "http" }, { count, err.kind })
    assert.is_truthy(err.message:find("gave 10 bytes of 100", 1, true))
    assert.is_nil(read(folder .. "/x"))
  end)

  it("does not leave the folder, whatever the server calls it", function()
    stored(100000, nil)
    local names = { ["../../out"] = "out", ["a\\..\\evil"] = "evil", [".."] = "file", ["x/"] = "file", ["a\1b"] = "a_b" }
    local task = client.task "t"
    for name, safe in pairs(names) do
      assert(task:download({ name = name, url = api.url .. "/stored" }, folder .. "/"))
      assert.is_true(read(folder .. "/" .. safe) == text, name)
      os.remove(folder .. "/" .. safe)
    end
    local pipe = assert(io.popen("ls -A " .. folder))
    assert.are.equal("", pipe:read "*a")
    pipe:close()
  end)

  it("upwards is tried again, and with another URL when the first has expired", function()
    local answers, got = { 503, 403 }, nil
    api:on("PUT /stored", function(request, view)
      got = view
      told.reply(request, table.remove(answers, 1) or 200)
    end)
    write(folder .. "/in", text)
    assert(volume:upload(folder .. "/in", "x", { retry = at_once }))
    assert.are.same({ 3, 2 }, { api:count "PUT /stored", api:count "generate%-upload" })
    assert.is_true(got.body == text)
    assert.are.same({ nil, "100000" }, { header(got, "authorization"), header(got, "content-length") })
    local pieces = { "once" }
    answers = { 503 }
    local done, err = volume:upload(function()
      return table.remove(pieces, 1)
    end, "x", { size = 4, retry = at_once })
    assert.are.same({ nil, 503 }, { done, err.status }) -- a function cannot give it twice
  end)
end)
