-- A session with everything in it, recorded against a local Beam of this process, for the specs of recordings.
local record = require "beam.record" -- before everything else
local beam = require "beam"
local json = require "beam.json"
local serve = require "beam.serve"

local recorded = { token = "s3cret/token+of=mine" }

local soon = { base = 0.001, max = 0.01 }

--- An app with echo, multiply, mirror and count (streamed).
function recorded.app()
  local app = serve.new()
  app.realtime("echo", function(text, context)
    return context.binary and text or { response = json.decode(text) }
  end)
  app.endpoint("multiply", function(input)
    return { result = input.x * 2 }
  end)
  app.endpoint("mirror", function(input)
    return app.response(200, input.text, { ["content-type"] = "text/plain" })
  end)
  app.endpoint("count", function(input)
    local i = 0
    return function()
      i = i + 1
      return i <= input.to and { n = i, token = input.token } or nil
    end
  end)
  return app
end

--- A client of a server with that token.
function recorded.client(url)
  return assert(beam.client { gateway = url, token = recorded.token })
end

--- Calls with a retry, a stream, and a connection that is lost and comes back. Returns what it was given, as one text.
---@param change table<string, any>? what this client does otherwise
function recorded.session(client, change)
  change = change or {}
  local seen = {}
  local function see(...)
    seen[#seen + 1] = table.concat({ ... }, " ")
  end
  local result, info = assert(client:call("multiply", { x = change.x or 4, token = recorded.token }, { retry = beam.retry.backoff(soon) }))
  see(result.result, info.attempts)
  local stream = assert(client:stream { "count", input = { to = 3, token = "é" } })
  local item = stream:next()
  while item do
    see(item.n, item.token)
    item = stream:next()
  end
  local conn = assert(client:realtime("echo", { retry = beam.retry.backoff(soon) }))
  for i, text in ipairs(change.texts or { '{"n":1,"text":"é"}', '{"n":2}', '{"n":3}' }) do
    assert(conn:send(text))
    local message = conn:receive(5)
    see(i, message and json.encode(message.response.n) or "lost")
  end
  if change.binary then
    conn:send_binary(change.binary)
  end
  conn:close(change.code or 1000, "bye")
  return table.concat(seen, "\n")
end

--- Records `run(client)` against a local Beam. Returns the path and what it returned.
---@param run fun(client, server): any
---@param options table? of app.listen
---@param recorder table? options of beam.record.to
function recorded.make(run, options, recorder)
  local path = os.tmpname()
  local app = recorded.app()
  options = options or {}
  options.pause, options.token, options.log = 0, recorded.token, function() end
  local writer = assert(record.to(path, recorder))
  local server = assert(app.listen(options))
  local result = run(recorded.client(server.url), server)
  writer:stop()
  app.close()
  return path, result
end

--- The session with faults: 429 before the first call, a connection lost after one answer.
function recorded.faulty(recorder)
  return recorded.make(recorded.session, { fault = "status=429:1,drop_after=1:1" }, recorder)
end

function recorded.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

return recorded
