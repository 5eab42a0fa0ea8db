-- Transforms: functions of the user's that every message goes through, in order.
--
--   function(message, conn) -> message | nothing (it is dropped) | several messages | nil, err
--
-- They may wait. The next message waits until the one before is through, so that the order stays what it was.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local errors = require "beam.error"
local protected = require("beam.driver.protect").call

local transform = {}

---@class beam.chain a list of functions
---@field direction "incoming"|"outgoing"
---@field busy boolean a message is on its way, in the coroutine `thread`
---@field turn beam.signal where the next ones wait
---@field index integer which function has it
---@field input any what it was given

-- ---- Errors ----

-- "module.name", if a loaded module or the script's globals hold the function: a function does not know its name.
local function name_of(fn)
  for module, values in pairs(package.loaded) do
    if type(values) == "table" then
      for name, value in next, values do
        if rawequal(value, fn) and type(name) == "string" then
          return module == "_G" and name or ("%s.%s"):format(module, name)
        end
      end
    end
  end
end

local function place_of(fn)
  local info = debug.getinfo(fn, "S")
  return info.what == "C" and "C" or ("%s:%d"):format(info.short_src, info.linedefined)
end

local function failure(self, cause, traceback)
  local fn = self[self.index]
  local name = fn and name_of(fn)
  local shown = fn and ("%s transform %d (%s%s)"):format(self.direction, self.index, name and name .. ", " or "", place_of(fn))
    or ("%s transform"):format(self.direction) -- between two of them: out of memory
  return errors.new {
    kind = "transform",
    message = ("the %s failed: %s"):format(shown, tostring(cause)),
    cause = cause,
    input = self.input,
    traceback = traceback,
  }
end

-- ---- The way through ----

local pass

-- Each of several messages takes the rest of the way by itself. Their results, in order.
local function fan_out(self, index, conn, messages)
  local results, count = {}, 0
  for i = 1, messages.n do
    local some = compat.pack(pass(self, index, conn, messages[i]))
    for j = 1, some.n do
      results[count + j] = some[j]
    end
    count = count + some.n
  end
  return compat.unpack(results, 1, count)
end

local not_sendable = "it returned a %s, and a message is a table or a string; of a call in return, only parentheses take one value"

-- `message, ...` is what the function before `index` returned.
function pass(self, index, conn, message, ...)
  if select("#", ...) > 0 then
    if message == nil and (...) ~= nil then
      error((...), 0)
    end
    return fan_out(self, index, conn, compat.pack(message, ...))
  elseif message == nil then
    return
  end
  local fn = self[index]
  if fn then
    self.index, self.input = index, message
    return pass(self, index + 1, conn, fn(message, conn))
  end
  local kind = type(message)
  if self.direction == "outgoing" and kind ~= "table" and kind ~= "string" then
    error(not_sendable:format(kind), 0)
  end
  return message
end

local function start(self, conn, message)
  self.thread = coroutine.running()
  return pass(self, 1, conn, message)
end

-- ---- One message at a time ----

local function enter(self)
  if not self.busy then
    self.busy = true
  elseif self.thread == coroutine.running() then
    error(("an %s transform waits for itself: return several messages instead"):format(self.direction), 3)
  else
    self.turn:wait() -- leave hands it over, still busy
  end
end

local function leave(self, ok, ...)
  local err = not ok and failure(self, ...)
  self.thread, self.input = false, nil
  if not self.turn:wake() then
    self.busy = false
  end
  if err then
    return false, err
  end
  return true, ...
end

local function check(functions, direction)
  for i, fn in ipairs(functions) do
    if type(fn) ~= "function" then
      error(("beam.realtime: '%s' wants functions, and its item %d is a %s"):format(direction, i, type(fn)), 0)
    end
  end
end

--- Makes one function of one or a list of them. It returns true and the messages that come out (none: dropped), or false and
--- an error of kind "transform" that says which function failed where, with the message it was given in `input`. Until
--- its caller waits again, no other message is through: what comes out can be sent in order.
---@param functions function|function[]|nil
---@param direction "incoming"|"outgoing"
---@return (fun(message: any, conn: table): boolean, ...)? chain nil if there are no functions
function transform.chain(functions, direction)
  if type(functions) == "function" then
    functions = { functions }
  elseif functions ~= nil and type(functions) ~= "table" then
    error(("beam.realtime: '%s' wants a function or a list of them, not a %s"):format(direction, type(functions)), 0)
  end
  check(functions or {}, direction)
  if not functions or #functions == 0 then
    return nil
  end
  local self = { direction = direction, busy = false, thread = false, turn = driver.signal(), compat.unpack(functions) }
  local function through(message, conn)
    enter(self)
    return leave(self, protected(start, self, conn, message))
  end
  if direction == "incoming" then
    return through
  end
  return function(message, conn) -- its caller may be a request, which may be aborted: then the chain must be left all the same
    return driver.aside(through, message, conn)
  end
end

return transform
