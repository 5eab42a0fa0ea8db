-- Opening a realtime connection: the options, the address, the credentials, and the wait until it is open. What it is
-- then, is in beam/connection.lua.
local attempt = require "beam.attempt"
local compat = require "beam.compat"
local config = require "beam.config"
local connection = require "beam.connection"
local errors = require "beam.error"
local handlers = require "beam.handlers"
local headers = require "beam.headers"
local options_of = require "beam.options"

local realtime = {}

---@class beam.realtime_options: beam.options, beam.target
---@field headers table<string, string>? further request headers
---@field max_message integer? bytes of an incoming message, default 16 MiB
---@field max_pending integer? bytes that send() lets wait for the network, default 64 MiB
---@field inbox { max: integer?, max_bytes: integer? }? what may wait to be read, default 1024 messages and 64 MiB; the sender is held back
---@field heartbeat boolean? false: Beam's app pings are handed on as messages
---@field close_timeout number? seconds for the peer's close frame, default 2
---@field on_open fun(conn)? the handlers: see Connection:on
---@field on_message fun(message, conn, kind)?
---@field on_phase fun(phase, conn)?
---@field on_close fun(err, conn)?
---@field on_error fun(err, conn)?
local own = { headers = true, max_message = true, max_pending = true, inbox = true, heartbeat = true, close_timeout = true }
for name in pairs(handlers.names) do
  own["on_" .. name] = true
end
local known = options_of.known(own, "timeout")

local later = {}
for _, name in ipairs { "connect", "retry", "outgoing", "incoming", "queue", "idle_timeout", "stalled", "warmup", "rate", "coalesce" } do
  later[name] = true
end
for name in pairs(handlers.later) do
  later["on_" .. name] = true
end

local inbox_options = { max = true, max_bytes = true }

local function gather(target, given)
  local options = options_of.gather("beam.realtime", known, later, target, given)
  if options.heartbeat ~= nil and type(options.heartbeat) ~= "boolean" then
    error("beam.realtime: heartbeat is true or false", 0)
  end
  errors.check_options(options.inbox or {}, inbox_options, "beam.realtime, inbox")
  for name, value in pairs(options.inbox or {}) do
    if type(value) ~= "number" or value < 1 then
      error("beam.realtime, inbox: '" .. name .. "' wants a number above 0", 0)
    end
  end
  return options
end

local function core_options(url, options, settings, auth)
  local core = options_of.transport(settings)
  core.url, core.auth = url, auth
  core.headers = headers.to_pairs(options.headers)
  core.upgrade_timeout = settings.ready_timeout
  core.close_timeout = options.close_timeout
  core.max_message = options.max_message
  return core
end

-- Closes what nobody can reach any more: a connection without a close frame leaves a ghost that holds Beam's slot.
local function close_when_collected(started)
  return compat.guard(function()
    if not started.over then
      started.ws:close(1001)
    end
  end)
end

-- Starts the attempt, with credentials that were asked for just now.
local function start(conn, url, options, settings, target)
  local auth, err = options_of.credentials(settings, target)
  if not auth then
    return nil, err
  end
  conn.scheme = auth.scheme
  conn.attempt, err = attempt.start(conn, connection.events, core_options(url, options, settings, auth))
  if not conn.attempt then
    return nil, err
  end
  conn.guard = close_when_collected(conn.attempt)
  return true
end

local function add_handlers(conn, options)
  for name in pairs(handlers.names) do
    local fn = options["on_" .. name]
    if fn then
      conn:on(name, fn)
    end
  end
end

--- Starts to open a realtime connection, which is given back at once: conn:wait_open() says whether it came to be.
---@param settings beam.settings
---@param target string|beam.target|beam.realtime_options
---@param options beam.realtime_options?
---@return beam.connection
function realtime.start(settings, target, options)
  options = gather(target, options)
  settings = config.override(settings, options)
  local url, resolved = options_of.locate(options, "asgi", "ws", settings.gateway)
  local conn = connection.new((url:gsub("%?.*$", "")), options)
  add_handlers(conn, options)
  local started, err = start(conn, url, options, settings, resolved)
  if not started then
    conn:fail(err)
  end
  return conn
end

--- Opens a realtime connection and waits until it is open, through a cold start if need be.
---@param settings beam.settings
---@param target string|beam.target|beam.realtime_options
---@param options beam.realtime_options?
---@return beam.connection? conn, beam.error? err
function realtime.open(settings, target, options)
  local conn = realtime.start(settings, target, options)
  if conn:wait_open() then
    return conn
  end
  return nil, conn.err
end

return realtime
