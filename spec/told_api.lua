-- Beam's REST API on the core, that does what it is told: for what the local Beam does not do on its own.
local driver = require "beam.driver"
local json = require "beam.json"

local told = {}

local Api = {}
Api.__index = Api

told.workspace = "11111111-2222-4333-8444-555555555555"

local headers = { { "content-type", "application/json" } }

function told.reply(request, status, value)
  request:respond(status, headers, value and json.encode(value) or "")
end

-- The event of a task.
function told.event(record)
  return "event: status\ndata: " .. json.encode(record) .. "\n\n"
end

-- The first route that fits answers: "GET /path/pattern" = function(request, view, captures…).
local function dispatch(self, request, view)
  local path, query = view.target:match "^([^?]*)%??(.*)$"
  self.requests[#self.requests + 1] = view.method .. " " .. view.target
  self.heads[#self.heads + 1] = view.headers
  view.path, view.query = path, query
  for _, route in ipairs(self.routes) do
    local found = { (view.method .. " " .. path):match("^" .. route[1] .. "$") }
    if found[1] then
      return route[2](request, view, (table.unpack or unpack)(found)) -- luacheck: ignore 143
    end
  end
  told.reply(request, 404, { message = "Not Found" })
end

--- A route that comes before those there are.
function Api:on(pattern, answer)
  table.insert(self.routes, 1, { pattern, answer })
end

--- How many requests fit the pattern so far.
function Api:count(pattern)
  local count = 0
  for _, line in ipairs(self.requests) do
    count = count + (line:find(pattern) and 1 or 0)
  end
  return count
end

--- Stops listening; what is open is cut.
function Api:close()
  if self.server then
    for request in pairs(self.open) do
      request:abort(false)
    end
    self.open = {}
    self.server:close()
    self.server = nil
    driver.detach()
  end
end

--- Listens, again on the same port.
function Api:listen()
  self.server = assert(driver.context():server({ port = self.port }, function(request, view)
    dispatch(self, request, view)
  end, function(request)
    self.open[request] = nil
    self.gone = self.gone + 1
  end))
  self.port = self.server:port()
  self.url = "http://127.0.0.1:" .. self.port
  driver.attach()
  return self
end

--- Begins the events of a task; they stay open until told.cut or the client ends them.
function Api:begin(request)
  assert(request:stream_begin(200, { { "content-type", "text/event-stream" } }))
  self.open[request] = true
end

--- Ends them: cleanly, or as a lost connection does.
function Api:finish(request, cut)
  if self.open[request] then
    self.open[request] = nil
    if cut then
      request:abort(false)
    else
      request:stream_end()
    end
  end
end

--- tasks[id] is a task's record; events(request, id, number) answers a subscription, default 404. `port`: of one that listens again.
function told.start(port)
  local self = setmetatable({ port = port, requests = {}, heads = {}, routes = {}, tasks = {}, open = {}, gone = 0, subscriptions = 0 }, Api)
  self:on("GET /api/v1/workspace/current", function(request)
    told.reply(request, 200, { external_id = told.workspace })
  end)
  self:on("GET /api/v1/task/" .. told.workspace:gsub("%-", "%%-") .. "/([^/]+)", function(request, _, id)
    if self.tasks[id] then
      return told.reply(request, 200, self.tasks[id])
    end
    told.reply(request, 404, { message = "Not Found" })
  end)
  self:on("GET /api/v1/task/[^/]+/([^/]+)/subscribe", function(request, _, id)
    self.subscriptions = self.subscriptions + 1
    if self.events then
      return self.events(request, id, self.subscriptions)
    end
    told.reply(request, 404, { message = "Not Found" })
  end)
  return self:listen()
end

return told
