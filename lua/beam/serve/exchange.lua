-- One request at the local Beam: what was asked, and the one answer it gets. Everything is answered through here, so that there is one
-- place for the access log, and for the faults that may be asked for.
local door = require "beam.serve.door"
local lossy = require "beam.serve.lossy"
local url = require "beam.serve.url"

local Exchange = {}
Exchange.__index = Exchange
Exchange.__name = "beam.serve.exchange"

--- headers: names in lower case; the first of several wins.
local function header_map(list)
  local map = {}
  for _, pair in ipairs(list) do
    map[pair[1]] = map[pair[1]] or pair[2]
  end
  return map
end

local function new(server, request, view)
  local host, target = url.absolute(view.target)
  local path, query, lists = url.split(target)
  local headers = header_map(view.headers)
  headers.host = host or headers.host
  return setmetatable({
    server = server,
    request = request,
    method = view.method,
    shown = target:match "^[^?#]*", -- the query may hold a token
    path = path,
    query = query, -- of several values the last
    query_lists = lists,
    headers = headers,
    body = view.body or "",
    upgrade = view.upgrade,
    started = server.driver.now(),
    gone = false, -- the client has left
    interrupted = server.driver.signal(),
  }, Exchange)
end

--- Nobody waits for an answer any more.
function Exchange:is_over()
  return self.gone or self.server.closed
end

--- Waits, unless it is over before.
function Exchange:pause(seconds)
  if not self:is_over() then
    self.interrupted:wait(seconds)
  end
end

--- The URL of this server, as the client wrote it.
---@return string "http://127.0.0.1:1994"
function Exchange:base()
  local host = self.headers.host or ""
  return host:find "^[0-9A-Za-z.%-:%[%]]+$" and self.server.scheme .. host or self.server.url
end

--- The client has left, or the server ends: whoever waits for it looks again.
function Exchange:wake()
  self.interrupted:wake_all()
  if self.task then
    self.task.changed:wake_all()
  end
end

function Exchange:log(status)
  if self.silent then
    return
  end
  local elapsed = (self.server.driver.now() - self.started) * 1000
  self.server:log("info", ("%s %s %s %.0f ms"):format(self.method, self.shown, status, elapsed))
end

-- What an answer to a page of an allowed origin says besides.
local function with_cors(self, headers)
  if not self.origin then
    return headers
  end
  local list = door.cors(self.origin)
  for _, pair in ipairs(headers) do
    list[#list + 1] = pair
  end
  return list
end

--- Begins a streamed answer: request:stream_write and stream_end follow.
function Exchange:begin(status, headers)
  return self.request:stream_begin(status, with_cors(self, headers))
end

--- Answers whole.
function Exchange:respond(status, headers, body)
  local ok, err = self.request:respond(status, with_cors(self, headers), body)
  if not ok and not self:is_over() then -- headers that cannot be sent: the request still waits
    self.server:log("error", ("%s %s: %s"):format(self.method, self.shown, err.message))
    status = 500
    local said = { { "content-type", "application/json" } }
    if not self.request:respond(500, said, lossy.encode { error = err.message }) then
      self.request:abort() -- no memory: an end is an answer, too
    end
  end
  self:log(self.gone and "(client left)" or status)
end

--- Answers with a table as JSON. headers: further ones.
function Exchange:json(status, value, headers)
  local list = { { "content-type", "application/json" } }
  for _, pair in ipairs(headers or {}) do
    list[#list + 1] = pair
  end
  self:respond(status, list, lossy.encode(value))
end

return { new = new }
