-- The listener for Prometheus: what it answers to whom.
local beam = require "beam"
local listener = require "beam.observe.listener"

describe("the listener for metrics", function()
  local server, url, client

  before_each(function()
    server = assert(listener.open(0))
    url = "http://127.0.0.1:" .. server:port()
    client = beam.client { token = false, gateway = url }
  end)

  after_each(function()
    server:close()
  end)

  local function get(path, headers, method)
    local text, info = client.call({ url = url .. path, method = method or "GET", raw = true, retry = false, headers = headers })
    return info.status, text or info.body, info.headers
  end

  it("answers with the figures, in Prometheus' format", function()
    local status, text, headers = get "/metrics"
    assert.equal(200, status)
    assert.equal("text/plain; version=0.0.4; charset=utf-8", headers["content-type"])
    assert.is_truthy(text:find("# TYPE beam_calls_total counter\n", 1, true))
    assert.is_truthy((select(2, get "/metrics")):find 'beam_calls_total{outcome="ok"} %d')
    assert.equal(200, (get("/metrics", { Host = "localhost:1" })))
  end)

  it("answers nothing else, and nobody from another site", function()
    assert.equal(404, (get "/"))
    assert.equal(405, (get("/metrics", nil, "POST")))
    assert.equal(403, (get("/metrics", { Host = "attacker.example" })))
    assert.equal(403, (get("/metrics", { Origin = "http://attacker.example" })))
    assert.equal(403, (get("/metrics", { ["Sec-Fetch-Site"] = "cross-site", ["Sec-Fetch-Mode"] = "no-cors" })))
  end)

  it("says which port it could not have", function()
    local other, err = listener.open(server:port())
    assert.is_nil(other)
    assert.is_truthy(err.message:find("port " .. server:port() .. ", for metrics", 1, true))
  end)
end)
