-- A listening local Beam: takes requests from the core, gives each a coroutine, and knows what is open.
local certificate = require "beam.serve.certificate"
local driver = require "beam.driver"
local errors = require "beam.error"
local fate = require "beam.serve.app.fate"
local check_options = require("beam.serve.options").check
local gateway = require "beam.serve.gateway"
local local_token = require "beam.settings.local_token"
local log = require "beam.log"
local new_exchange = require("beam.serve.exchange").new
local new_faults = require("beam.serve.fault.faults").new
local fault_syntax = require "beam.serve.fault.syntax"
local records = require "beam.serve.api.records"
local timestamp = require "beam.serve.api.timestamp"

---@class beam.serve.server
---@field port integer
---@field url string "http://127.0.0.1:1994"; with tls "https://…"
---@field certificate string? the file of the certificate that it shows: what tls.ca_file of a client has to be, if it made it itself
---@field token string? the one that is demanded
local Server = {}
Server.__index = Server
Server.__name = "beam.serve.server"

local open = {} -- the servers that listen, for whoever has to end them all

local most_lines = 200 -- of the log, for whoever opens the page

function Server:log(level, line)
  local lines = self.lines
  lines.last = lines.last + 1
  lines[lines.last % most_lines] = { level = level, line = line, at = timestamp.now() }
  local own = self.options.log
  if not (own and pcall(own, level, line)) then -- one that fails must not take down what it only hears of
    log.write(level, line)
  end
end

--- Calls fn in a coroutine of its own. Returns true and its results, or nil and a beam.error of kind "script". On Lua 5.1 a pcall could
--- not be waited in.
function Server:protect(fn, ...)
  return self.driver
    .spawn(function(...)
      return true, fn(...)
    end, ...)
    :join()
end

local function answer(server, exchange)
  local ok, err = server:protect(gateway.answer, exchange)
  server.exchanges[exchange.request] = nil
  if not ok then -- ours, not the handler's
    server:log("error", ("%s %s: %s"):format(exchange.method, exchange.shown, tostring(err)))
    local said = '{"message":"Internal Server Error"}'
    if not exchange.request:respond(500, { { "content-type", "application/json" } }, said) then
      exchange.request:abort() -- its answer had begun: an end is an answer, too
    end
  end
end

-- Events must not run user code: this coroutine does. Where there is no memory for another one, the connection ends, and this goes on.
local function accept_requests(server)
  while not server.closed do
    local exchange = table.remove(server.queue, 1)
    if exchange then
      if not pcall(driver.spawn, answer, server, exchange) then
        server.exchanges[exchange.request] = nil
        exchange.request:abort()
      end
    else
      server.asked:wait()
    end
  end
end

-- Who waits for a slot looks whether it still wants one.
local function wake_for_slots(server)
  for _, deployment in ipairs(server.app.deployments.list) do
    if deployment.slot then
      deployment.slot:wake_all()
    end
  end
end

local of_core = { "host", "port", "max_body", "max_head", "max_connections", "head_timeout", "body_timeout", "idle_timeout" }

local function listen_on_core(server, files)
  local options = {}
  for _, name in ipairs(of_core) do
    options[name] = server.options[name]
  end
  if files then
    options.tls = { cert_file = files.cert, key_file = files.key, key_passphrase = files.key_passphrase }
  end
  return driver.context():server(options, function(request, view)
    local exchange = new_exchange(server, request, view)
    server.exchanges[request] = exchange
    table.insert(server.queue, exchange)
    server.asked:wake()
  end, function(request)
    local exchange = server.exchanges[request]
    if exchange then
      exchange.gone = true
      exchange:wake()
      wake_for_slots(server)
    end
  end)
end

-- Where scripts of the same user find it.
local function keep_token(server)
  local path, problem = local_token.keep(server.port, server.token)
  server.token_path = path
  if not path then
    server:log("warning", "scripts on this machine must be told the token: " .. problem)
  end
end

-- The files of the certificate; nil where none is shown.
local function files_of(tls)
  if tls ~= true then
    return tls or nil
  end
  local files, problem = certificate.find()
  if not files then
    return nil, errors.new { kind = "invalid", message = "the local Beam has no certificate: " .. problem }
  end
  return files
end

--- Starts listening. Returns the server, or nil and an error.
local function listen(app, given)
  local server = setmetatable({
    app = app,
    options = check_options(given),
    driver = driver,
    queue = {}, -- exchanges that nobody has looked at yet
    exchanges = {}, -- by request, until they are answered
    sessions = {}, -- open realtime connections
    session_count = 0, -- of all that there were
    lines = { last = 0, most = most_lines }, -- a ring, by number
    asked = driver.signal(),
    left = driver.signal(),
    ended = driver.signal(),
    closed = false,
  }, Server)
  server.workspace = records.workspace(server.options.workspace, timestamp.now())
  server:fault(server.options.fault)
  local files, problem = files_of(server.options.tls)
  if problem then
    return nil, problem
  end
  server.certificate = files and files.cert
  local core, err = listen_on_core(server, files)
  server.options.tls = nil -- and the key's passphrase
  if not core then
    return nil, errors.from_core(err, "the local Beam cannot listen")
  end
  server.core = core
  server.port = core:port()
  local host = server.options.host
  server.scheme = files and "https://" or "http://"
  server.url = ("%s%s:%d"):format(server.scheme, host:find ":" and "[" .. host .. "]" or host, server.port)
  server.token = server.options.token
  if server.options.own_token then
    keep_token(server)
  end
  open[server] = true
  driver.attach()
  driver.ref()
  driver.spawn(accept_requests, server)
  return server
end

--- Replaces the faults on demand (beam/serve/fault/syntax.lua), if they can be read; nil: none any more. They are for who comes from now
--- on.
---@param faults string|table|nil
---@return boolean? ok, string? problem
function Server:try_fault(faults)
  local made, problem = new_faults(faults, self.options.random)
  if not made then
    return nil, problem
  end
  self.faults, self.faults_given = made, fault_syntax.text(faults)
  wake_for_slots(self)
  return true
end

--- The same; raises if they cannot be read.
---@param faults string|table|nil
function Server:fault(faults)
  local ok, problem = self:try_fault(faults)
  if not ok then
    error(problem, 2)
  end
end

--- Lets faults happen now, to every open connection that `which` picks (default: all): drop_after_101, reset, close=CODE, silence,
--- zombie, no_ping, block=TIME.
---@param faults string|table
---@param which (fun(session: table): boolean)?
---@return integer count of connections
function Server:inflict(faults, which)
  local list, problem = fault_syntax.parse(faults)
  if not list then
    error(problem, 2)
  end
  local count = 0
  for _, session in ipairs(self:connections()) do
    if not which or which(session) then
      count = count + 1
      for _, fault in ipairs(list) do
        fate.inflict(session, fault)
      end
    end
  end
  return count
end

--- The open realtime connections.
---@return table[] list
function Server:connections()
  local list = {}
  for session in pairs(self.sessions) do
    if not session.closed then
      list[#list + 1] = session
    end
  end
  return list
end

--- Stops listening and starts to close the connections with 1012, as uvicorn does when it ends. Waits for nothing.
function Server:stop()
  if self.closed then
    return
  end
  self.closed = true
  open[self] = nil
  if self.token_path then
    local_token.remove(self.token_path)
  end
  self.core:close()
  self.asked:wake_all()
  self.ended:wake_all()
  for _, exchange in pairs(self.exchanges) do
    exchange:wake()
  end
  wake_for_slots(self)
  for session in pairs(self.sessions) do
    session:shut_down()
  end
  driver.detach()
  driver.unref()
end

--- Whether a connection is still open.
function Server:busy()
  return #self:connections() > 0
end

--- Stops, and waits until the connections are closed, for close_timeout at most. May be called twice.
function Server:close()
  self:stop()
  local deadline = driver.now() + self.options.close_timeout + 0.5
  while next(self.sessions) and driver.now() < deadline do
    self.left:wait(deadline - driver.now())
  end
end

return { listen = listen, open = open }
