-- Realtime and calls against servers that are not ours: FastAPI under uvicorn, direct and behind nginx with TLS.
local beam = require "beam"
local hosts = require "hosts"

local here, client

local function realtime_tests(scheme, port)
  local conn

  local function url()
    return scheme .. "://127.0.0.1:" .. here[port] .. "/"
  end

  before_each(function()
    conn = assert(client.realtime(url()))
  end)
  after_each(function()
    conn:close()
  end)

  it("answers a message, without the app's pings", function()
    assert(conn:send { event = "Echo this back" })
    assert.are.same({ response = { event = "Echo this back" } }, conn:receive(5))
    assert.are.equal("open", conn.state)
  end)

  it("makes requests", function()
    for i = 1, 50 do
      assert.are.same({ response = { i = i } }, conn:request({ i = i }, { timeout = 5 }))
    end
  end)

  it("gets each kind of returned value", function()
    conn:send { ["do"] = "text" }
    assert.are.equal("plain, not JSON", conn:receive(5))
    conn:send { ["do"] = "list" }
    assert.are.same({ 1, 2, 3 }, conn:receive(5))
    conn:send { ["do"] = "many", count = 20 }
    for i = 0, 19 do
      assert.are.same({ item = i }, conn:receive(5))
    end
    conn:send { ["do"] = "nan" }
    assert.are.same({ value = beam.null }, conn:receive(5))
  end)

  it("gets nothing for nothing, a number or an error, and lives on", function()
    for _, what in ipairs { "none", "number", "raise" } do
      conn:send { ["do"] = what }
    end
    local message, err = conn:receive(0.2)
    assert.is_nil(message)
    assert.are.equal("timeout", err.kind)
    assert.are.same({ response = { after = true } }, conn:request({ after = true }, { timeout = 5 }))
  end)

  it("sends bytes", function()
    assert(conn:send_binary(("\0\255"):rep(50000)))
    assert.are.same({ bytes = 100000 }, conn:receive(5))
  end)

  it("carries messages of megabytes both ways", function()
    local reply = conn:request({ ["do"] = "big", size = 4194304 }, { timeout = 20 })
    assert.are.equal(4194304, #reply.data)
    local pad = ("p"):rep(1048576)
    assert.are.equal(pad, conn:request({ pad = pad }, { timeout = 20 }).response.pad)
  end)

  it("hears the close code and reason of the server", function()
    conn:send '{"close": 4321, "reason": "enough"}'
    local message, err = conn:receive(5)
    assert.is_nil(message)
    assert.are.equal("closed", err.kind)
    assert.are.equal(4321, err.code)
    assert.are.equal("enough", err.reason)
    assert.are.equal("closed", conn.state)
  end)

  it("refuses to send after it was closed", function()
    assert(conn:close(1000, "done"))
    local ok, err = conn:send { late = true }
    assert.is_nil(ok)
    assert.are.equal("closed", err.kind)
  end)

  it("is told when the token is wrong", function()
    local none, err = client.realtime { url = url(), token = "wrong" }
    assert.is_nil(none)
    assert.are.equal("handshake", err.kind)
    assert.are.equal(403, err.status) -- what uvicorn answers; Beam's gateway says 401
  end)
end

describe("a server that is not ours", function()
  setup(function()
    here = hosts.start()
    client = beam.client { token = "test-token", tls = { ca_file = here.ca }, timeout = 30 }
  end)
  teardown(function()
    hosts.stop(here)
  end)

  describe("uvicorn", function()
    realtime_tests("ws", "uvicorn")
  end)
  describe("uvicorn behind nginx with TLS", function()
    realtime_tests("wss", "https")
  end)

  it("wants a client certificate", function()
    local url = "wss://127.0.0.1:" .. here.mutual .. "/"
    local conn, err = client.realtime(url)
    assert.is_nil(conn)
    assert.are.equal("handshake", err.kind) -- nginx answers 400 inside of TLS
    assert.are.equal(400, err.status)
    local tls = { ca_file = here.ca, cert = here.folder .. "/client.pem", key = here.folder .. "/client.key" }
    local trusted = beam.client { token = "test-token", tls = tls }
    conn = assert(trusted.realtime(url))
    assert.are.same({ response = { a = 1 } }, conn:request({ a = 1 }, { timeout = 5 }))
    conn:close()
    local result = assert(trusted.call("https://127.0.0.1:" .. here.mutual .. "/endpoint/multiply", { x = 4 }))
    assert.are.same({ result = 8 }, result)
  end)

  for _, way in ipairs { { "http", "uvicorn" }, { "http", "http" }, { "https", "https" } } do
    local scheme, port = way[1], way[2]

    local function url(path)
      return scheme .. "://127.0.0.1:" .. here[port] .. path
    end

    describe("calls by " .. scheme .. " to " .. port, function()
      it("answers", function()
        local result, info = assert(client.call(url "/endpoint/multiply", { x = 12 }))
        assert.are.same({ result = 24 }, result)
        assert.are.equal(200, info.status)
        assert.are.equal("3f1b6a0e-0000-4000-8000-000000000001", info.task_id)
      end)

      it("sends what the seed says", function()
        local result = assert(client.call(url "/endpoint/inspect", { text = "This is an example request!" }))
        assert.are.equal("POST", result.method)
        assert.are.equal("application/json", result.headers["content-type"])
        assert.are.equal("gzip, deflate", result.headers["accept-encoding"])
        assert.are.equal("Bearer test-token", result.headers.authorization)
        assert.are.equal('{"text":"This is an example request!"}', result.body)
      end)

      it("authenticates with Basic", function()
        local basic = beam.client { basic = { id = "id", secret = "secret" }, tls = { ca_file = here.ca } }
        assert.are.same({ result = 2 }, (assert(basic.call(url "/endpoint/multiply", { x = 1 }))))
      end)

      it("is told of a wrong token", function()
        local result, err = client.call { url "/endpoint/multiply", input = { x = 1 }, token = "wrong" }
        assert.is_nil(result)
        assert.are.equal(401, err.status)
        assert.are.equal("no", err.executed)
      end)

      it("carries large bodies", function()
        local pad = ("p"):rep(3145728)
        local result = assert(client.call(url "/endpoint/inspect", { pad = pad }))
        assert.are.equal(#pad + 10, #result.body)
      end)

      it("makes many calls at once", function()
        local handles = {}
        for i = 1, 40 do
          handles[i] = beam.spawn(function()
            return assert(client.call(url "/endpoint/multiply", { x = i })).result
          end)
        end
        for i, handle in ipairs(handles) do
          assert.are.equal(2 * i, handle:join(30))
        end
      end)
    end)
  end

  it("speaks HTTP/2 over TLS and HTTP/1.1 without", function()
    local over_tls = assert(client.call { "https://127.0.0.1:" .. here.https .. "/version", method = "GET" })
    assert.are.equal("HTTP/2.0", over_tls.protocol)
    local plain = assert(client.call { "http://127.0.0.1:" .. here.http .. "/version", method = "GET" })
    assert.are.equal("HTTP/1.1", plain.protocol)
  end)

  it("keeps its connection between calls, and multiplexes over TLS", function()
    local connections = {}
    for _ = 1, 5 do
      local answer = assert(client.call { "http://127.0.0.1:" .. here.http .. "/version", method = "GET" })
      connections[answer.connection] = true
    end
    assert.is_nil(next(connections, (next(connections))))
    connections = {}
    local handles = {}
    for i = 1, 20 do
      handles[i] = beam.spawn(function()
        return assert(client.call { "https://127.0.0.1:" .. here.https .. "/version", method = "GET" }).connection
      end)
    end
    for _, handle in ipairs(handles) do
      connections[handle:join(10)] = true
    end
    assert.is_nil(next(connections, (next(connections))))
  end)
end)
