-- What the module tells those who look on: beam.metrics, and the spans of a client that has on_span. Each of these is false while nobody
-- does, and a look at it is all that it costs then.
--
--   call(run, settings, target, options, try, request, name)
--                                           around something over HTTP with all its attempts: returns what run(settings, target, options,
--                                           try) does. `request` is what each attempt sends, `name` says who does: "beam.call"
--   connection(conn, settings, options)     one is made, and has not begun
--   attempt(conn, core)                     it tries to connect: `core` is what the core will be told
--   phase(conn, before, phase)              it went from one to the other; conn:enter_phase
--   request(run, conn, message, options)    around conn:request
--   waited(conn, seconds)                   a message left the queue for the socket
--   watched(events, settings)               a task is watched; events.observed(events, err), if set, is told its end
local hooks = { call = false, connection = false, attempt = false, phase = false, request = false, waited = false, watched = false }

local listen = {}

--- `fn` is called from now on, after those who are already.
---@param name "connection"|"attempt"|"phase"|"waited"|"watched"
---@param fn function
function listen.to(name, fn)
  local before = hooks[name]
  hooks[name] = before and function(...)
    before(...)
    fn(...)
  end or fn
end

--- `fn(run, …)` is called from now on in the place of run(…), around those who are already.
---@param name "call"|"request"
---@param fn function
function listen.around(name, fn)
  local before = hooks[name]
  hooks[name] = before and function(run, ...)
    return fn(function(...)
      return before(run, ...)
    end, ...)
  end or fn
end

return setmetatable(hooks, { __index = listen })
