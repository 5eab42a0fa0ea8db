-- The script that is in charge of a connection: its hooks, and how another one takes over from it.
--
-- A hook never waits, so that between two messages none is running: that is when another script takes over. What a hook does wrong goes to
-- `report`, and its caller goes on with the default policy.
local script = require "sandbox.script"

local Hooks = {}
Hooks.__index = Hooks
Hooks.__name = "host.hooks"

local hooks = {}

---@param limits sandbox.script.options
---@param provided table<string, function> what the script sees as beam.<name>
---@param report fun(err: sandbox.script.error|table, message: any) a hook failed, on that message
function hooks.new(limits, provided, report)
  return setmetatable({
    limits = limits,
    provided = provided,
    report = report,
    script = false,
    present = {}, -- the hooks that it has
    starting = false, -- a script runs that is not in charge yet
    reloads = 0,
    failures = 0,
  }, Hooks)
end

-- ---- Calling ----

-- What the script is given and cannot take raises; to who calls that is a failure of the hook as any other.
local function outcome(hook, done, ok, ...)
  if not done then
    return nil, { kind = "script", hook = hook, message = ("hook '%s': %s"):format(hook, tostring(ok)) }
  end
  return ok, ...
end

---@param name string
---@return boolean
function Hooks:has(name)
  return self.present[name] or false
end

--- A hook did something wrong, with that message if it was given one.
function Hooks:fail(err, message)
  self.failures = self.failures + 1
  self.report(err, message)
end

--- Calls a hook and tells its error to nobody.
---@return true? ok, any ... the results, or an error
function Hooks:try(hook, ...)
  return outcome(hook, pcall(self.script.call, self.script, hook, ...))
end

local function finished(self, message, ok, ...)
  if not ok then
    self:fail((...), message)
  end
  return ok, ...
end

--- Calls a hook. A failure is reported.
---@return true? ok, any ... the results; nil, err
function Hooks:call(hook, ...)
  return finished(self, nil, self:try(hook, ...))
end

--- The same; a failure is reported with the message.
function Hooks:call_with(hook, message, ...)
  return finished(self, message, self:try(hook, message, ...))
end

local function none(name)
  return nil, { kind = "invalid", message = ("the script has no function '%s'"):format(name) }
end

local function invoked(script_in_charge, name, done, ok, ...)
  if done then
    return ok, ...
  elseif not script_in_charge:has(name) then
    return none(name)
  end
  return outcome(name, done, ok)
end

--- Calls any function of the script's table.
---@return true? ok, any ... the results; nil, err: its failure; kind "invalid": there is none
function Hooks:invoke(name, ...)
  local script_in_charge = self.script
  if not script_in_charge then
    return none(name)
  end
  return invoked(script_in_charge, name, pcall(script_in_charge.call_function, script_in_charge, name, ...))
end

-- ---- Loading, taking over ----

local function compile(self, text, chunk_name)
  local made, err = script.new(self.limits)
  if not made then
    return nil, err
  end
  for name, fn in pairs(self.provided) do
    made:provide(name, fn)
  end
  local ok
  ok, err = made:load(text, chunk_name)
  if not ok then
    made:close()
    return nil, err
  end
  return made
end

-- What the old script, which is in charge still, wants the new one to know. It may be the reason why there is a new one: its failure is
-- told and holds nothing up.
local function saved_by(self)
  if not self:has "save" then
    return true, nil
  end
  self.starting = false
  return self:call "save"
end

local function hand_over(self, new)
  local saved, state = saved_by(self)
  self.starting = true
  if not saved or state == nil or not new:has "restore" then
    return true
  end
  return outcome("restore", pcall(new.call, new, "restore", state))
end

local function start(self, text, chunk_name)
  local new, err = compile(self, text, chunk_name)
  if not new then
    return nil, err
  end
  local old = self.script
  if old then
    local ok
    ok, err = hand_over(self, new)
    if not ok then
      new:close()
      return nil, err
    end
    old:close()
    self.reloads = self.reloads + 1
  end
  self.script = new
  for _, hook in ipairs(script.hooks) do
    self.present[hook] = new:has(hook)
  end
  return true
end

--- Loads a script; it takes over from the one before, if it loads and its `restore` takes what the `save` of that one gave.
--- Not while a hook runs.
---@param text string
---@param chunk_name string
---@return true? ok, sandbox.script.error? err the old one goes on
function Hooks:load(text, chunk_name)
  self.starting = true
  local ok, err = start(self, text, chunk_name)
  self.starting = false
  return ok, err
end

function Hooks:close()
  if self.script then
    self.script:close()
  end
end

return hooks
