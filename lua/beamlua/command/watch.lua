-- beamlua watch SCRIPT, or beamlua --watch SCRIPT: runs a connection script (docs/scripting.md), and lets it take over anew whenever its
-- file has changed. The connection stays; a script that does not load, or does not take over, leaves the old one running.
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"
local new_connection_script = require("embed.connection_script").new
local output = require "beamlua.cli.output"

local look_every = 0.2 -- seconds; what has changed is read when it is the same at the next look: it was not half written
local default_tick = 0.1 -- seconds

-- As libbeamhost has them.
local bounded = { instructions = 10000000, seconds = 1 }
local unbounded = { memory = false, allow = "all", strict = false }

-- A function that says whether the file has changed, and holds still.
local function watch(status, path)
  local seen, changing = status(path), nil
  return function()
    local now = status(path)
    if now ~= nil and now ~= seen and now == changing then
      seen, changing = now, nil
      return true
    end
    changing = now ~= seen and now or nil
    return false
  end
end

local function read(path)
  local file, problem = io.open(path, "rb")
  local text
  if file then
    text, problem = file:read "*a"
    file:close()
  end
  if not text then
    return nil, errors.new { kind = "script", message = tostring(problem) }
  end
  return text
end

local function say_phase(context, phase, err)
  if phase == "open" then
    output.say(context, "connected")
  elseif phase == "waiting" then
    output.say(context, "not connected, trying again: %s", err.message)
  elseif context.options.verbose then
    output.say(context, "%s", phase)
  end
end

-- A transform's cause is the error of its hook, which has a traceback; that of a hook is what it raised.
local function describe(err)
  for _, told in ipairs { err.cause or err, err } do
    local meta = getmetatable(told)
    if type(told) == "string" or type(meta) == "table" and meta.__tostring then
      return tostring(told)
    end
  end
  return err.message
end

-- What the script prints goes to standard output, and so does what it leaves to the program: messages without a hook, what it emits.
local function tell_by(context, self)
  return {
    phase = function(phase, err)
      if phase ~= "closed" then
        say_phase(context, phase, err)
      end
    end,
    open = function() end,
    message = function(message, kind)
      if not self.scripted.hooks:has "message" then
        output.told(kind == "json" and assert(json.encode(message)) or message)
      end
    end,
    emit = function(name, value)
      output.line(("%s %s"):format(name, assert(json.encode(value == nil and json.null or value))))
    end,
    error = function(err)
      output.say(context, "%s", describe(err))
    end,
    close = function(err)
      self.ended = err
      self.changed:wake_all()
    end,
    log = function(level, text)
      if level == "info" then
        output.told(text)
      else
        output.say(context, "%s: %s", level, text)
      end
    end,
  }
end

local function reload(context, scripted, path)
  local text, err = read(path)
  local ok
  if text then
    ok, err = scripted:load(text, "@" .. path)
  end
  if ok then
    output.say(context, "%s took over", path)
  else
    output.say(context, "%s\nthe old script goes on", tostring(err))
  end
end

return function(context)
  local options, path = context.options, context.positionals[1]
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local self = { changed = driver.signal(), ended = false }
  self.scripted = new_connection_script {
    target = options.target,
    settings = client.settings,
    limits = options.limits and bounded or unbounded,
    tell = tell_by(context, self),
    tick = options.tick or default_tick,
  }
  local has_changed = watch(context.host.file_status, path)
  local text, ok
  text, err = read(path)
  if text then
    ok, err = self.scripted:load(text, "@" .. path)
  end
  if not ok then
    return nil, err
  end
  while not self.ended do
    self.changed:wait(look_every)
    if not self.ended and has_changed() then
      reload(context, self.scripted, path)
    end
  end
  if self.ended.code == 1000 then
    return 0
  end
  return nil, self.ended
end
