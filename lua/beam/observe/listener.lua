-- GET /metrics on this machine, for a Prometheus on it: beam.metrics of this process, on 127.0.0.1 alone. Pages of other sites must not
-- read it: Host and Origin are looked at as those of the local Beam's requests are.
local door = require "beam.serve.door"
local driver = require "beam.driver"
local errors = require "beam.error"
local headers_of = require("beam.settings.headers").to_table
local metrics = require "beam.observe.metrics"
local prometheus = require "beam.observe.prometheus"

local listener = {}

local door_options = { host = "127.0.0.1", allow_host = {}, allow_origin = {} }
local plain = { { "content-type", "text/plain; charset=utf-8" } }
local only_reading = { { "content-type", "text/plain; charset=utf-8" }, { "allow", "GET, HEAD" } }

local function answer(request, view)
  local path = view.target:gsub("%?.*$", "")
  if not door.check(door_options, headers_of(view.headers), path) then
    return request:respond(403, plain, "Forbidden: the Host or the Origin of the request is not of this machine\n")
  elseif path ~= "/metrics" then
    return request:respond(404, plain, "GET /metrics\n")
  elseif view.method ~= "GET" and view.method ~= "HEAD" then
    return request:respond(405, only_reading, "GET /metrics\n")
  end
  request:respond(200, { { "content-type", prometheus.content_type } }, tostring(metrics.snapshot()))
end

--- Listens, and begins to count. It does not keep a program going that has nothing else to do.
---@param port integer 0: a free one
---@return beam.core.server? server
---@return beam.error? err
function listener.open(port)
  metrics.snapshot()
  local server, failure = driver.context():server({ host = "127.0.0.1", port = port, max_body = 1024, max_connections = 64 }, answer)
  if not server then
    return nil, errors.from_core(failure, ("port %d, for metrics"):format(port))
  end
  return server
end

return listener
