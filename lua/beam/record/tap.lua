-- Stands between beam and beam.core: contexts that look as those of the core do, and tell the recorder what passes through them. While
-- nothing is recorded they only pass it on.
local new_http = require("beam.record.http").new
local new_websocket = require("beam.record.websocket").new

local tap = {}

-- Methods that are passed on as they are, those of later releases included.
local forwards = setmetatable({}, {
  __index = function(self, name)
    local function forward(context, ...)
      local inner = context.inner
      return inner[name](inner, ...)
    end
    self[name] = forward
    return forward
  end,
})

local Context = setmetatable({}, { __index = forwards })
local meta = { __index = Context, __name = "beam.core.context" }

function Context:websocket(options, on_event)
  local recorder = self.current()
  if not recorder then
    return self.inner:websocket(options, on_event)
  end
  options.arrivals = nil -- each message is told
  return new_websocket(recorder, self, options, on_event)
end

function Context:http(options, on_event)
  local recorder = self.current()
  if not recorder then
    return self.inner:http(options, on_event)
  end
  options.by_name = nil -- in the order in which they came
  return new_http(recorder, self, options, on_event)
end

Context.send = false -- each exchange is told all of it

--- Ends everything without further events: what is open has left.
function Context:close()
  local exchange = next(self.open)
  while exchange do
    exchange:leave()
    exchange = next(self.open)
  end
  return self.inner:close()
end

meta.__close = Context.close

---@return boolean
function tap.is_tapped(context)
  return getmetatable(context) == meta
end

--- Wraps all contexts that are made from now on.
---@param core beam.core
---@param current fun(): beam.recorder?
function tap.install(core, current)
  local new = core.new
  function core.new(options)
    local inner, err = new(options)
    if not inner then
      return nil, err
    end
    return setmetatable({ inner = inner, current = current, open = {} }, meta)
  end
end

return tap
