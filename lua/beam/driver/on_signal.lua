-- beam.on_signal: functions that are called when a signal came, in a coroutine of their own, after the step in which it did.
local driver = require "beam.driver"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"

local known = { HUP = true, INT = true, QUIT = true, TERM = true, USR1 = true, USR2 = true, WINCH = true, CONT = true }
local handlers, count = {}, 0

local function start_handlers()
  while count > 0 do
    local name = driver.context():caught_signal()
    if not name then
      return
    end
    local handler = handlers[name]
    driver.defer(function()
      handler("SIG" .. name)
    end)
  end
end

local function check(name, fn)
  if type(name) ~= "string" or not known[name] then
    mistake(
      ("beam.on_signal: '%s' is no signal that can be handled: HUP, INT, QUIT, TERM, USR1, USR2, WINCH, CONT"):format(tostring(name))
    )
  elseif fn ~= nil and type(fn) ~= "function" then
    mistake("beam.on_signal wants a function, or nil, not a " .. type(fn))
  elseif not driver.interrupt then
    mistake "beam.on_signal: the signals of nginx's processes are nginx's"
  end
end

-- Somebody may wait for nothing but a signal: that is no deadlock.
local function change(name, fn)
  local had = handlers[name]
  handlers[name] = fn
  if fn and not had then
    count = count + 1
    driver.attach()
  elseif had and not fn then
    count = count - 1
    driver.detach()
  end
end

local watched = false

local signals = {}

--- Calls fn(name) in a coroutine of its own whenever the signal came: "SIGTERM". The signal then does nothing else; but one that comes
--- again before the function could start does what it did without. It keeps no script from ending.
---@param name "HUP"|"INT"|"QUIT"|"TERM"|"USR1"|"USR2"|"WINCH"|"CONT" with or without SIG
---@param fn (fun(name: string))? nil: as before
---@return true? done, beam.error? err
function signals.on_signal(name, fn)
  name = type(name) == "string" and name:gsub("^SIG", "") or name
  check(name, fn)
  if not fn then
    driver.context():release_signal(name)
    change(name, nil)
    return true
  end
  local ok, err = driver.context():catch_signal(name)
  if not ok then
    return nil, errors.from_core(err, "SIG" .. name)
  end
  if not watched then
    watched = true
    driver.after_step(start_handlers)
  end
  change(name, fn)
  return true
end

return signals
