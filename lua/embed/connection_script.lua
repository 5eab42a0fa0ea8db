-- A realtime connection whose policy is a script in a state of its own: its hooks as the options of beam.realtime.
--
--   connect, retry         -> connect, retry            where a hook fails, or the script has none, the default policy goes on
--   incoming, outgoing     -> transforms                a message that one fails on is dropped, and told with the error; none where the
--                                                       script has no such hook
--   open, message, close   -> handlers                  what one of them does wrong changes nothing
--   tick                   -> with each step, or a timer
--
-- The connection outlives the script: the options ask whichever is in charge (embed/hooks.lua).
local connect_hook = require "embed.connect_hook"
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"
local new_hooks = require("embed.hooks").new
local provided = require "beamlua.provided"
local realtime = require "beam.realtime"
local retry = require "beam.retry"

---@class host.connection_script
---@field hooks host.hooks
---@field conn beam.connection?
local ConnectionScript = {}
ConnectionScript.__index = ConnectionScript
ConnectionScript.__name = "host.connection_script"

local connection_script = {}

local nowhere = "wss://target.invalid" -- until the hook connect names a target; never asked

-- ---- Values for the script ----

local told_of_errors = { "kind", "message", "phase", "host", "status", "code", "reason", "executed", "retryable", "retry_after", "hint" }

-- An error as the script sees it.
local function plain(err)
  local copy = {}
  for _, name in ipairs(told_of_errors) do
    copy[name] = err[name]
  end
  return copy
end

-- ---- Hooks as policies ----

local function retry_of(self)
  return function(attempt, err, conn)
    if self.hooks:has "retry" then
      local ok, seconds = self.hooks:call("retry", attempt, plain(err))
      if ok and (seconds == nil or type(seconds) == "number" and seconds >= 0) then
        return seconds
      elseif ok then
        local text = ("hook 'retry': it returned %s, and not a number of seconds"):format(tostring(seconds))
        self.hooks:fail { kind = "script", hook = "retry", message = text }
      end
    end
    return retry.default(attempt, err, conn)
  end
end

local function results(ok, ...)
  if not ok then
    error((...), 0)
  end
  return ...
end

-- A failure is an error of the transform, which beam.realtime tells to who sends, or to on_error. Another script may have taken over since.
local function transform_of(self, hook)
  return function(message)
    if not self.hooks:has(hook) then
      return message
    end
    return results(self.hooks:try(hook, message))
  end
end

-- ---- Handlers ----

local function on_open(self, unknown)
  self.tell.open(unknown ~= nil)
  if self.hooks:has "open" then
    return self.hooks:call("open", unknown)
  end
end

-- `true` of the hook open: all of them again; a list: those at these positions.
local function chosen(unknown, answer)
  if answer == true then
    return unknown
  end
  local again = {}
  for _, position in ipairs(type(answer) == "table" and answer or {}) do
    again[#again + 1] = unknown[position]
  end
  return again
end

local function on_reconnect(self, unknown)
  local messages = {}
  for i, entry in ipairs(unknown) do
    messages[i] = entry.binary and entry.data or entry.message
  end
  local ok, answer = on_open(self, messages)
  return ok and chosen(unknown, answer) or nil
end

local function choose(value, message, kind)
  if value == nil then
    return message, kind
  end
  return value, "json"
end

-- A text is decoded for the hook alone: the host takes it as it came.
local function on_message(self, message, kind)
  if self.hooks:has "message" then
    local value
    if kind == "text" then
      value = json.decode(message)
    end
    self.hooks:call_with("message", choose(value, message, kind))
  end
  self.tell.message(message, kind)
end

local function on_close(self, err)
  if self.hooks:has "close" then
    self.hooks:call("close", plain(err))
  end
  self.tell.close(err)
end

local function add_policies(self, options)
  options.wait = false
  options.retry = retry_of(self)
  function options.on_open()
    on_open(self)
  end
  function options.on_reconnect(_, unknown)
    return on_reconnect(self, unknown)
  end
  function options.on_message(message, _, kind)
    on_message(self, message, kind)
  end
  function options.on_phase(phase, conn)
    self.tell.phase(phase, phase == "waiting" and conn.last_error or nil)
  end
  function options.on_close(err)
    on_close(self, err)
  end
  function options.on_error(err)
    self.hooks:fail(err, err.input)
  end
end

-- ---- Life ----

---@class host.tell functions that the host is told by; none may raise or wait
---@field phase fun(phase: string, err: beam.error?)
---@field open fun(again: boolean)
---@field message fun(message: any, kind: "json"|"text"|"binary")
---@field emit fun(name: string, value: any)
---@field error fun(err: table, message: any)
---@field close fun(err: beam.error)
---@field log fun(level: string, text: string)

---@class host.connection_script_options
---@field target string|table|nil nil: the hook connect names it
---@field settings beam.settings
---@field limits sandbox.script.options
---@field tell host.tell
---@field tick number? seconds between calls of the hook tick; nil: self:step() calls it
---@field budget number? seconds that self:step() may take after its wait
---@field config any what beam.config() gives

--- A connection script without a script yet.
---@param options host.connection_script_options
---@return host.connection_script
function connection_script.new(options)
  local self = setmetatable({
    tell = options.tell,
    config = options.config,
    target = options.target,
    settings = options.settings,
    tick = options.tick,
    budget = options.budget,
    conn = nil,
  }, ConnectionScript)
  self.hooks = new_hooks(options.limits, provided(self), options.tell.error)
  return self
end

-- A message goes through the script only where that has something to say.
local function set_transforms(self)
  self.conn:set_outgoing(self.hooks:has "outgoing" and transform_of(self, "outgoing") or nil)
  if self.hooks:has "incoming" then
    self.conn:set_incoming(transform_of(self, "incoming"))
  end
end

local function connect(self)
  local target = self.target or nowhere
  local options = type(target) == "table" and target or { target }
  local given = {}
  for name, value in pairs(options) do
    given[name] = value
  end
  add_policies(self, given)
  given.connect = connect_hook.new(self.hooks, options, self.settings, self.target ~= nil)
  self.conn = realtime.start(self.settings, given)
  self.conn:leave_undecoded()
end

local function tick(self)
  if self.hooks.present.tick then
    local now = driver.now()
    local elapsed = now - self.last_tick
    self.last_tick = now
    self.hooks:call("tick", elapsed)
  end
end

local function tick_for_ever(self)
  while true do
    driver.sleep(self.tick)
    tick(self)
  end
end

--- Loads a script, or lets it take over; starts the connection unless there is one. Not while a hook runs.
---@param text string
---@param chunk_name string
---@return true? ok, sandbox.script.error? err what was there goes on
function ConnectionScript:load(text, chunk_name)
  local ticked = self.hooks:has "tick"
  local ok, err = self.hooks:load(text, chunk_name)
  if not ok then
    return nil, err
  end
  if not ticked then -- the first one tells of the time from here on
    self.last_tick = driver.now()
  end
  if not self.conn and self.tick then
    driver.spawn(tick_for_ever, self)
  end
  if self:state() == "none" or self:state() == "closed" then
    connect(self)
  end
  set_transforms(self)
  return true
end

---@return string none connecting open waiting closing closed
function ConnectionScript:state()
  return self.conn and self.conn.state or "none"
end

---@return boolean whether each step calls the hook tick
function ConnectionScript:ticks()
  return not self.tick and self.hooks:has "tick"
end

--- Does what is due, then calls the hook tick unless it has an interval.
---@param timeout number? seconds
function ConnectionScript:step(timeout)
  driver.step(timeout, self.budget)
  if not self.tick then
    tick(self)
  end
end

--- A step that is known to have nothing else to do.
function ConnectionScript:tick_step()
  tick(self)
end

--- Starts to close the connection. Raises for a code or reason that cannot be sent.
---@param code integer?
---@param reason string?
function ConnectionScript:begin_close(code, reason)
  local closing = driver.spawn(self.conn.close, self.conn, code, reason)
  if closing.done then
    local _, err = closing:join()
    if errors.is(err) and err.kind == "script" then
      error(err.message, 0)
    end
  end
end

return connection_script
