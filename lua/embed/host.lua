-- What lua/embed/host.c calls, in the state of a host: options and texts in, JSON and errors out.
local driver = require "beam.driver"
local embed_options = require "embed.options"
local json = require "beam.json"
local log = require "beam.log"
local new_connection_script = require("embed.connection_script").new

local embed = {}

-- An error that fits into a beam_host_error. A transform's is that of the hook in it, but for its kind.
local function flat(err)
  local hook = err.kind == "transform" and type(err.cause) == "table" and err.cause.hook and err.cause or err
  local message = hook.message or tostring(err)
  return {
    kind = err.kind,
    message = err.hint and ("%s (%s)"):format(message, err.hint) or message,
    hook = hook.hook or err.kind == "script" and "load" or nil,
    file = hook.file,
    line = hook.line,
    limit = hook.limit,
    status = err.status,
    code = err.code,
  }
end

local function text_of(message, kind)
  if kind ~= "json" and type(message) == "string" then
    return message
  end
  return json.encode(message)
end

local function not_json(problem)
  return { kind = "json", hook = "incoming", message = "what it returned cannot be written as JSON: " .. problem }
end

local function one_line(text)
  return (text:gsub("%s*\n%s*", " "))
end

-- The host's callback: native.event(type, name, data, flag, err).
local function tell_by(native)
  local event = native.event
  return {
    phase = function(phase, err)
      event("phase", phase, nil, false, err and flat(err))
    end,
    open = function(again)
      event("open", nil, nil, again)
    end,
    message = function(message, kind)
      if not native.listens() then
        return
      end
      local text, problem = text_of(message, kind)
      if text then
        event("message", nil, text, kind == "binary")
      else
        event("error", nil, nil, false, not_json(problem))
      end
    end,
    emit = function(name, value)
      event("emit", name, assert(json.encode(value == nil and json.null or value)))
    end,
    error = function(err, message)
      if not native.listens() then
        log.write("error", one_line(flat(err).message))
      end
      event("error", nil, message ~= nil and text_of(message) or nil, false, flat(err))
    end,
    close = function(err)
      event("closed", nil, nil, false, flat(err))
    end,
    log = function(level, text)
      for line in text:gmatch "[^\n]+" do
        log.write(level, line)
      end
    end,
  }
end

-- ---- What C calls: results, or nil and a flat error; a mistake of the caller raises ----

local Host = {}
Host.__index = Host

local function result(ok, err)
  if ok then
    return true
  end
  return nil, flat(err)
end

local function invalid(message)
  return nil, { kind = "invalid", message = message }
end

local function read_file(path)
  local file, problem = io.open(path, "rb")
  local text
  if file then
    text, problem = file:read "a"
    file:close()
  end
  if not text then
    return nil, { kind = "file", message = tostring(problem), file = path }
  end
  return text
end

function Host:load(text, name, again)
  if again ~= (self.scripted.hooks.script and true or false) then
    return invalid(again and "no script is loaded that another could take over from" or "a script is loaded already: reload it")
  end
  local done, ok, err = pcall(self.scripted.load, self.scripted, text, name)
  if not done then
    return invalid(ok)
  end
  self.native.ticks(self.scripted:ticks())
  return result(ok, err)
end

function Host:load_file(path, again)
  path = path or self.path
  if not path then
    return invalid "the script was not loaded from a file: its path is needed"
  end
  local text, err = read_file(path)
  local ok
  if text then
    ok, err = self:load(text, "@" .. path, again)
  end
  if ok then
    self.path = path
  end
  return ok, err
end

local not_connected = { kind = "closed", message = "no script is loaded, so that there is no connection" }

-- The hook outgoing is given what it is given by beam.send, too.
local function decoded(self, text)
  if self.scripted.hooks:has "outgoing" and text:find "^%s*[{%[]" then
    local value = json.decode(text)
    return value == nil and text or value
  end
  return text
end

function Host:send(text)
  if not self.scripted.conn then
    return nil, not_connected
  end
  return result(self.scripted.conn:send(decoded(self, text)))
end

function Host:send_binary(bytes)
  if not self.scripted.conn then
    return nil, not_connected
  end
  return result(self.scripted.conn:send_binary(bytes))
end

local function encoded(ok, value)
  if not ok then
    return nil, flat(value)
  elseif value == nil then
    return "null"
  end
  local text, problem = json.encode(value)
  if not text then
    return nil, { kind = "json", message = "the function's result cannot be written as JSON: " .. problem }
  end
  return text
end

function Host:call(name, text)
  local hooks = self.scripted.hooks
  if not text then
    return encoded(hooks:invoke(name))
  end
  local value, problem = json.decode(text)
  if value == nil then
    return nil, { kind = "json", message = "the argument is no JSON: " .. tostring(problem) }
  end
  return encoded(hooks:invoke(name, value))
end

function Host:has(name)
  local script = self.scripted.hooks.script
  return script and script:has(name) or false
end

--- 0 is for when there is something to do: without it, C calls tick() alone.
function Host:step(seconds)
  self.scripted:step(seconds)
end

--- A frame in which the network has nothing.
function Host:tick()
  self.scripted:tick_step()
end

function Host.fd()
  return driver.fd()
end

function Host:close(code, reason)
  if not self.scripted.conn then
    return nil, not_connected
  end
  self.scripted:begin_close(code, reason)
  return true
end

function Host:stats()
  local hooks, conn = self.scripted.hooks, self.scripted.conn
  local figures = conn and conn:stats() or {}
  local usage = hooks.script and hooks.script:usage() or {}
  figures.state = self.scripted:state()
  figures.reloads, figures.failures = hooks.reloads, hooks.failures
  figures.memory, figures.peak = usage.memory, usage.peak
  return figures
end

--- Without further events: what is open sends 1001.
function Host:free()
  driver.context():close()
  self.scripted.hooks:close()
end

--- native: event(type, name, data, flag, err), log(level, text), listens(), ticks(flag: each step calls a hook).
--- options: beam_host_options by their names.
---@return table? host, table? err
function embed.new(native, options)
  if native.log then
    log.to(native.log)
  end
  local made, err = embed_options.read(options)
  if not made then
    return nil, flat(err)
  end
  local scripted = new_connection_script {
    target = options.target,
    settings = made.client.settings,
    limits = made.limits,
    tell = tell_by(native),
    tick = options.tick,
    budget = options.step_seconds,
    config = made.config,
  }
  return setmetatable({ native = native, scripted = scripted, path = nil }, Host)
end

return embed
