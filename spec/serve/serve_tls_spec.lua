-- The local Beam over TLS: calls, streams and connections as in plain, with a certificate of its own or a given one.
local beam = require "beam"
local certificate = require "beam.serve.certificate"
local lfs = require "lfs"
local serve = require "beam.serve"

-- Takes two connections, reads the beginning of the handshake, and ends the first in order, the second with a reset.
local cutter = [[
import socket, struct
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for reset in (0, 1):
    peer = listener.accept()[0]
    peer.recv(65536)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", reset, 0))
    peer.close()
]]

local function new_folder()
  local path = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  return path
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- As `stat` has it, "600".
local function mode(path)
  local pipe = io.popen("stat -c %a '" .. path .. "'")
  local text = pipe:read "*l"
  pipe:close()
  return text
end

local home

local function getenv(name)
  return name == "HOME" and home or nil
end

describe("a local Beam's certificate", function()
  before_each(function()
    home = new_folder()
  end)
  after_each(function()
    os.execute("rm -rf '" .. home .. "'")
  end)

  it("is made on first use, for its user alone, and found again", function()
    local files = assert(certificate.find(getenv))
    assert.equal("600", mode(files.cert))
    assert.equal("600", mode(files.key))
    assert.equal("700", mode(home .. "/.beam"))
    local text = read(files.cert)
    assert.same(files, certificate.find(getenv))
    assert.equal(text, read(files.cert))
  end)

  it("is made again before it ends, and where its key is lost", function()
    local files = assert(certificate.find(getenv))
    local text = read(files.cert)
    assert(certificate.find(getenv, os.time() + 799 * 86400))
    assert.equal(text, read(files.cert))
    assert(certificate.find(getenv, os.time() + 801 * 86400))
    assert.are_not.equal(text, read(files.cert))
    text = read(files.cert)
    os.remove(files.key)
    assert(certificate.find(getenv))
    assert.are_not.equal(text, read(files.cert))
    assert.truthy(read(files.key):find("PRIVATE KEY", 1, true))
  end)

  it("fits its key though two make one at the same time", function()
    local core = require("beam.base.native").core()
    local real, within = core.write_private, false
    core.write_private = function(...)
      local ok, problem = real(...)
      if not within then
        within = true
        assert(certificate.find(getenv)) -- another program
      end
      return ok, problem
    end
    local ok, files = pcall(certificate.find, getenv)
    core.write_private = real
    assert.is_true(ok, files)
    local function public_key(command)
      local pipe = io.popen(command .. " 2>&1")
      local text = pipe:read "*a"
      pipe:close()
      return text
    end
    local of_certificate = public_key("openssl x509 -noout -pubkey -in '" .. files.cert .. "'")
    assert.truthy(of_certificate:find("PUBLIC KEY", 1, true))
    assert.equal(of_certificate, public_key("openssl pkey -pubout -in '" .. files.key .. "'"))
  end)

  it("needs a place", function()
    local files, problem = certificate.find(function() end)
    assert.is_nil(files)
    assert.truthy(problem:find("HOME", 1, true))
  end)

  it("signs nothing but itself", function()
    local files = assert(certificate.find(getenv))
    local pipe = io.popen("openssl x509 -noout -text -in '" .. files.cert .. "' 2>&1")
    local text = pipe:read "*a"
    pipe:close()
    assert.truthy(text:find("CA:FALSE", 1, true), text)
    assert.truthy(text:find("DNS:localhost, DNS:*.localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1", 1, true), text)
  end)
end)

describe("a local Beam over TLS", function()
  local app, server, files, client
  setup(function()
    home = new_folder()
    files = assert(certificate.find(getenv))
    app = serve.new()
    app.realtime("echo", function(text)
      return { response = text }
    end)
    app.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    app.endpoint("large", function(input)
      return { text = ("x"):rep(input.size) }
    end)
    app.task_queue("train", function()
      return { done = true }
    end)
    server = assert(app.listen { tls = files, token = "t", pause = 0, websocket_ping = 20 })
    client = beam.client { gateway = server.url, token = "t", tls = { ca_file = server.certificate }, timeout = 10 }
  end)
  teardown(function()
    app.close()
    os.execute("rm -rf '" .. home .. "'")
  end)

  it("says so in its URL", function()
    assert.equal("https://127.0.0.1:" .. server.port, server.url)
    assert.equal(files.cert, server.certificate)
  end)

  it("answers calls, large ones too", function()
    assert.same({ result = 24 }, client.call("multiply", { x = 12 }))
    local size = 3 * 2 ^ 20
    assert.equal(size, #assert(client.call("large", { size = size })).text)
    assert.same({ result = 2 }, client.call("multiply", { x = 1, filler = ("y"):rep(2 ^ 20) }))
  end)

  it("opens connections, whose messages may be large", function()
    local conn = assert(client.realtime "echo")
    conn:send "hello"
    assert.same({ response = "hello" }, conn:receive(5))
    local large = ("z"):rep(2 ^ 20)
    conn:send(large)
    assert.equal(large, conn:receive(10).response)
    conn:close()
  end)

  -- What stands between may be restarting, unlike a certificate that is not to be trusted.
  it("is tried again after a handshake that was cut off, in order or with a reset", function()
    local pipe = assert(io.popen("exec " .. (os.getenv "BEAM_TEST_PYTHON" or "python3") .. " -c '" .. cutter .. "'", "r"))
    local port = pipe:read "*l"
    local told, attempts = {}, 0
    local conn = assert(client.realtime("echo", {
      connect = function()
        attempts = attempts + 1
        return attempts <= 2 and ("wss://127.0.0.1:%s/"):format(port) or nil
      end,
      retry = function(failures, err)
        told[#told + 1] = { failures, err.kind, err.phase, err.executed, err.retryable, err.message:match "TLS handshake" }
        return err.retryable and 0 or nil
      end,
    }))
    pipe:close()
    assert.same({ { 1, "tls", "tls", "no", true, "TLS handshake" }, { 2, "tls", "tls", "no", true, "TLS handshake" } }, told)
    assert.same({ response = "hello" }, conn:request("hello", { timeout = 5 }))
    assert.same({ 3, 0 }, { conn:stats().attempts, conn:stats().reconnects })
    conn:close()
  end)

  it("is reached by each of its names", function()
    for _, name in ipairs { "localhost", "127.0.0.1" } do
      local url = ("https://%s:%d/endpoint/multiply"):format(name, server.port)
      assert.same({ result = 6 }, client.call { url, input = { x = 3 } })
    end
  end)

  it("hands out addresses of its own kind", function()
    local task = assert(client.submit("train", {}))
    assert(task:wait { timeout = 10 })
    assert.same({ done = true }, task:result())
  end)

  it("is trusted by nobody who was not told to", function()
    local stranger = beam.client { gateway = server.url, token = "t" }
    local result, err = stranger.call { "multiply", input = { x = 1 }, retry = false }
    assert.is_nil(result)
    assert.equal("tls", err.kind)
    local conn, why = stranger.realtime("echo", { retry = false })
    assert.is_nil(conn)
    assert.equal("tls", why.kind)
    assert.same({ result = 2 }, client.call("multiply", { x = 1 })) -- and goes on
  end)

  it("speaks to nobody in plain", function()
    local result, err = client.call { ("http://127.0.0.1:%d/endpoint/multiply"):format(server.port), input = { x = 1 }, retry = false }
    assert.is_nil(result)
    assert.equal("http", err.kind)
    assert.is_truthy(err.message:find("without an answer; if it speaks TLS only: https://", 1, true), err.message)
    local conn, why = client.realtime(("ws://127.0.0.1:%d/realtime/echo"):format(server.port), { retry = false })
    assert.is_nil(conn)
    assert.same({ "closed", true }, { why.kind, why.message:find("if it speaks TLS only: wss://", 1, true) ~= nil })
  end)

  it("has its faults, too", function()
    server:fault "reset_after=1"
    local conn = assert(client.realtime("echo", { reconnect = false }))
    conn:send "one"
    local _, err = conn:receive(5)
    if not err then
      _, err = conn:receive(5)
    end
    assert.equal("closed", err.kind)
    server:fault(nil)
  end)

  it("has a key that is encrypted", function()
    local key = home .. "/encrypted.key"
    assert(os.execute(("openssl pkey -in '%s' -out '%s' -aes256 -passout pass:open-sesame 2>/dev/null"):format(files.key, key)))
    local sure = assert(serve.new())
    sure.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    local listening = assert(sure.listen { token = "t", tls = { cert = files.cert, key = key, key_passphrase = "open-sesame" } })
    local guest = beam.client { gateway = listening.url, token = "t", tls = { ca_file = listening.certificate }, timeout = 10 }
    assert.same({ result = 14 }, guest.call("multiply", { x = 7 }))
    assert.is_nil(listening.options.tls)
    sure.close()
    for _, passphrase in ipairs { false, "open-season" } do
      local none, err = serve.new().listen { tls = { cert = files.cert, key = key, key_passphrase = passphrase or nil } }
      assert.is_nil(none)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find(key, 1, true) and not err.message:find("open-sea", 1, true), err.message)
      assert.truthy(err.message:find(passphrase and "does not decrypt it" or "the key is encrypted: set tls.key_passphrase", 1, true), err.message)
    end
  end)

  it("wants a certificate with its key", function()
    local wrong = { 1, {}, { cert = "x" }, { cert = "x", key = 1 }, { cert = "x", key = "y", ca = "z" }, { cert = "x", key = "y", key_passphrase = 1 } }
    for _, tls in ipairs(wrong) do
      assert.has_error(function()
        app.listen { tls = tls }
      end, "app:listen: tls wants { cert = FILE, key = FILE, key_passphrase = }, or true")
    end
    local none, err = app.listen { tls = { cert = "/no/such", key = "/no/such" } }
    assert.is_nil(none)
    assert.equal("invalid", err.kind)
    assert.truthy(tostring(err):find("/no/such", 1, true))
    local other, mismatch = app.listen { tls = { cert = files.cert, key = files.cert } }
    assert.is_nil(other)
    assert.truthy(tostring(mismatch):find("key", 1, true), tostring(mismatch))
  end)
end)
