-- Opening a realtime connection: the options, checked, as the policies that beam/realtime/connection.lua goes by; and the wait until
-- it is open.
local mistake = require "beam.base.mistake"
local config = require "beam.settings.config"
local connection = require "beam.realtime.connection"
local errors = require "beam.error"
local handlers = require "beam.realtime.handlers"
local headers = require "beam.settings.headers"
local observers = require "beam.observe.observers"
local new_outbox = require("beam.realtime.queue.outbox").new
local new_dial = require("beam.realtime.dial").new
local options_of = require "beam.settings.options"
local retry = require "beam.retry"
local transform = require "beam.realtime.transform"
local seconds = require "beam.settings.seconds"

local realtime = {}

local MiB = 1024 * 1024
local shortest_stalled, margin = 60, 15 -- seconds without a sign of the app, and more than its longest handler takes
local longest_task = 600 -- seconds: Beam's upper bound of a task's time-out (wire.md section 4)

---@class beam.queue_options
---@field max integer? messages, default 1024
---@field max_bytes integer? default 64 MiB
---@field ttl number? seconds that a message may wait
---@field overflow "error"|"wait"|"drop_oldest"|"drop_newest"|nil "wait": send waits until there is room
---@field timeout number? seconds that it waits then, default 60

---@class beam.heartbeat_options
---@field app_pings boolean? false: app pings are messages
---@field ping_after number|false|nil seconds of silence until a ping, default 20
---@field dead_after number? seconds until a ping that nothing answers is death, default 20
---@field task_timeout number? seconds that a handler may take, and be silent: Beam's task time-out, default 600

---@class beam.realtime_options: beam.options, beam.target
---@field wait boolean? false: beam.realtime returns at once, as a game wants it; that it never opened is told to on_close
---@field headers table<string, string>? further request headers
---@field connect (fun(attempt: integer): table|string|nil, any)? what this attempt does otherwise: a target, a token; nil, err: none
---@field retry (fun(attempt: integer, err: beam.error, conn): number?)|false|nil seconds until the next one; false: there is none
---@field reconnect boolean? false: once it was open, a loss is the end
---@field warmup boolean? asks Beam to start the app before the first attempt
---@field ready_after number? seconds after which a silent connection counts as ready, default 10
---@field outgoing function|function[]|nil transforms of what is sent
---@field incoming function|function[]|nil transforms of what comes
---@field queue beam.queue_options|false|nil what waits to be sent; false: send() fails while it is not open
---@field rate number? messages a second
---@field coalesce (fun(message: any): any)? a key; a newer message replaces a waiting one with the same
---@field max_message integer? bytes of an incoming message, default 16 MiB
---@field max_pending integer? bytes that send() lets wait for the network, default 64 MiB
---@field inbox { max: integer?, max_bytes: integer? }? what may wait to be read, default 1024 messages and 64 MiB; the sender is held back
---@field heartbeat boolean|beam.heartbeat_options|nil false: app pings are messages
---@field stalled number|false|{ after: number?, handler: number?, reconnect: boolean? }|nil seconds without a sign of the app, default 60
---@field idle_timeout number? seconds without a message either way, after which it is closed
---@field close_timeout number? seconds for the queue, and again for the peer's close frame; default 2
---@field on_open fun(conn)? the handlers: see Connection:on
---@field on_message fun(message, conn, kind)?
---@field on_phase fun(phase, conn, seconds)?
---@field on_stalled fun(seconds, conn)?
---@field on_outcome fun(message, conn, outcome)?
---@field on_reconnect (fun(conn, unknown: table[]): table?)? what is sent again
---@field on_close fun(err, conn)?
---@field on_error fun(err, conn)?
local types = {
  wait = { boolean = true },
  headers = { table = true },
  connect = { ["function"] = true },
  retry = { ["function"] = true, boolean = true },
  reconnect = { boolean = true },
  warmup = { boolean = true },
  ready_after = { number = true },
  outgoing = { ["function"] = true, table = true },
  incoming = { ["function"] = true, table = true },
  queue = { table = true, boolean = true },
  rate = { number = true },
  coalesce = { ["function"] = true },
  max_message = { number = true },
  max_pending = { number = true },
  inbox = { table = true },
  heartbeat = { boolean = true, table = true },
  stalled = { number = true, boolean = true, table = true },
  idle_timeout = { number = true },
  close_timeout = { number = true },
}
for name in pairs(handlers.names) do
  types["on_" .. name] = { ["function"] = true }
end
types.on_reconnect = { ["function"] = true }

local known = options_of.known(types, "timeout")
local inbox_options = { max = true, max_bytes = true }
local queue_options = { max = true, max_bytes = true, ttl = true, overflow = true }
local room_options = { timeout = true, max = true, max_bytes = true, ttl = true, overflow = true }
local heartbeat_options = { app_pings = true, ping_after = true, dead_after = true, task_timeout = true }
local stalled_options = { after = true, handler = true, reconnect = true }
local above_zero = { "rate", "max_pending" }
local times = { "ready_after", "idle_timeout", "close_timeout" }

-- ---- Checks: a mistake of the caller raises ----

local function check_number(value, name)
  if value ~= nil and not (type(value) == "number" and value > 0 and value == value) then
    mistake(("beam.realtime: '%s' wants a number above 0"):format(name))
  end
end

local function check_seconds(value, name)
  seconds.check(value, ("beam.realtime: '%s'"):format(name))
end

local function check_types(options)
  for _, name in ipairs(times) do
    check_seconds(options[name], name)
  end
  for name, allowed in pairs(types) do
    local value = options[name]
    if value ~= nil and not allowed[type(value)] then
      mistake(("beam.realtime: option '%s' cannot be a %s"):format(name, type(value)))
    end
  end
  for _, name in ipairs { "retry", "queue", "stalled" } do
    if options[name] == true then
      mistake(("beam.realtime: option '%s' cannot be true"):format(name))
    end
  end
end

local function gather(target, given)
  local options = options_of.gather("beam.realtime", known, {}, target, given)
  check_types(options)
  for _, name in ipairs(above_zero) do
    check_number(options[name], name)
  end
  options_of.check_bytes(options.max_message, "beam.realtime: 'max_message'")
  headers.to_pairs(options.headers) -- raises for what is none
  return options
end

-- ---- The policies ----

---@class beam.policy what the options come to; what they say nothing of stands in its metatable, once for all connections
---@field dial beam.dial
---@field retry fun(attempt: integer, err: beam.error, conn): number?
---@field reconnect boolean
---@field incoming fun(message: any, conn): boolean, ...
---@field outgoing fun(message: any, conn): boolean, ...
---@field codec table? of the client
---@field max_pending integer
---@field ready_after number seconds
---@field close_timeout number seconds
---@field queues boolean
---@field waits_for_room boolean
---@field room_timeout number seconds
---@field inbox { max: integer, max_bytes: integer }
---@field outbox beam.outbox_options
---@field filters_pings boolean
---@field liveness beam.liveness_options
local Policy = {
  retry = retry.default,
  reconnect = true,
  max_pending = 64 * MiB,
  ready_after = 10,
  close_timeout = 2,
  queues = true,
  waits_for_room = false,
  room_timeout = 60,
  inbox = { max = 1024, max_bytes = 64 * MiB },
  outbox = {},
}
Policy.__index = Policy
Policy.__name = "beam.policy"

local function never() end

local function inbox_of(options)
  local inbox = options.inbox
  if not inbox then
    return nil
  end
  errors.check_options(inbox, inbox_options, "beam.realtime, inbox")
  check_number(inbox.max, "inbox.max")
  check_number(inbox.max_bytes, "inbox.max_bytes")
  local max_bytes = math.ceil(inbox.max_bytes or Policy.inbox.max_bytes)
  return { max = inbox.max or Policy.inbox.max, max_bytes = max_bytes }
end

local function outbox_of(options)
  local queue = options.queue or {}
  if not (options.queue or options.rate or options.coalesce) then
    return nil
  end
  errors.check_options(queue, room_options, "beam.realtime, queue")
  check_seconds(queue.timeout, "queue.timeout")
  local outbox = { rate = options.rate, coalesce = options.coalesce }
  for name in pairs(queue_options) do
    outbox[name] = queue[name]
  end
  new_outbox(outbox) -- raises for what makes no sense
  return outbox
end

local function heartbeat_of(options)
  local heartbeat = type(options.heartbeat) == "table" and options.heartbeat or {}
  errors.check_options(heartbeat, heartbeat_options, "beam.realtime, heartbeat")
  check_seconds(heartbeat.ping_after or nil, "heartbeat.ping_after") -- false: no pings
  check_seconds(heartbeat.dead_after, "heartbeat.dead_after")
  check_seconds(heartbeat.task_timeout, "heartbeat.task_timeout")
  return heartbeat
end

local function stalled_of(options)
  if type(options.stalled) ~= "table" then
    check_seconds(options.stalled or nil, "stalled")
    return options.stalled == nil and shortest_stalled or options.stalled
  end
  local stalled = options.stalled
  errors.check_options(stalled, stalled_options, "beam.realtime, stalled")
  check_seconds(stalled.after, "stalled.after")
  check_seconds(stalled.handler, "stalled.handler")
  return stalled.after or math.max(shortest_stalled, (stalled.handler or 0) + margin), stalled.reconnect, stalled.handler
end

local function liveness_of(options)
  local heartbeat = heartbeat_of(options)
  local stalled_after, reconnects, handler = stalled_of(options)
  local filters_pings = options.heartbeat ~= false and heartbeat.app_pings ~= false
  return {
    ping_after = heartbeat.ping_after == nil and 20 or heartbeat.ping_after,
    dead_after = heartbeat.dead_after or 20,
    stalled_after = filters_pings and stalled_after or false,
    idle_after = options.idle_timeout or false,
    busy_after = math.max(heartbeat.task_timeout or longest_task, handler or 0),
    pings_expected = options.stalled ~= nil and options.stalled ~= false,
    reconnects = reconnects or false,
  }, filters_pings
end

Policy.liveness, Policy.filters_pings = liveness_of {}

local function set_liveness(policy, options)
  if options.heartbeat ~= nil or options.stalled ~= nil or options.idle_timeout ~= nil then
    policy.liveness, policy.filters_pings = liveness_of(options)
  end
end

local function policy_of(options, settings)
  local policy = {
    codec = settings.json,
    dial = new_dial(options, settings),
    retry = options.retry == false and never or options.retry or nil,
    reconnect = options.reconnect,
    incoming = transform.chain(options.incoming, "incoming"),
    outgoing = transform.chain(options.outgoing, "outgoing"),
    max_pending = options.max_pending,
    ready_after = options.ready_after,
    close_timeout = options.close_timeout,
    inbox = inbox_of(options),
    outbox = outbox_of(options),
  }
  if options.queue == false then
    policy.queues = false
  elseif options.queue then
    policy.waits_for_room, policy.room_timeout = options.queue.overflow == "wait", options.queue.timeout
  end
  set_liveness(policy, options)
  return setmetatable(policy, Policy)
end

local function add_handlers(conn, options)
  for name in pairs(handlers.names) do
    local fn = options["on_" .. name]
    if fn then
      conn:on(name, fn)
    end
  end
  if options.on_reconnect then
    conn:on("reconnect", options.on_reconnect)
  end
end

--- Starts a realtime connection, and waits for nothing.
---@param settings beam.settings
---@param target string|beam.target|beam.realtime_options
---@param options beam.realtime_options?
---@return beam.connection
function realtime.start(settings, target, options)
  options = gather(target, options)
  local url = options_of.locate(options, "asgi", "ws", config.override(settings, options).gateway)
  local conn = connection.new((url:gsub("%?.*$", "")), policy_of(options, settings))
  conn.awaited = options.wait ~= false
  add_handlers(conn, options)
  if observers.connection then
    observers.connection(conn, settings, options)
  end
  conn:start()
  return conn
end

--- Opens a realtime connection and waits until it is open, through a cold start and through what may pass, as long as the
--- retry policy says; with wait = false it waits for nothing. From then on it comes back by itself.
---@param settings beam.settings
---@param target string|beam.target|beam.realtime_options
---@param options beam.realtime_options?
---@return beam.connection? conn, beam.error? err
function realtime.open(settings, target, options)
  local conn = realtime.start(settings, target, options)
  if not conn.awaited or conn:wait_open() then
    return conn
  end
  return nil, conn.err
end

return realtime
