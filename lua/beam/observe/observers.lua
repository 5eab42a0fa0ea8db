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
--   watched(events, settings)               a task is watched
local observers = { call = false, connection = false, attempt = false, phase = false, request = false, waited = false, watched = false }

local listen = {}

--- `fn` is called from now on, after those who are already.
---@param name "connection"|"attempt"|"phase"|"waited"|"watched"
---@param fn function
function listen.to(name, fn)
  local before = observers[name]
  observers[name] = before and function(...)
    before(...)
    fn(...)
  end or fn
end

--- `fn(run, …)` is called from now on in the place of run(…), around those who are already.
---@param name "call"|"request"
---@param fn function
function listen.around(name, fn)
  local before = observers[name]
  observers[name] = before and function(run, ...)
    return fn(function(...)
      return before(run, ...)
    end, ...)
  end or fn
end

--- `fn` is told the end of a stream or of what watches a task, after those who are already.
---@param thing { observed: function|false }
---@param fn fun(thing: table, err: beam.error?)
function listen.to_end_of(thing, fn)
  local before = thing.observed
  function thing.observed(...)
    if before then
      before(...)
    end
    fn(...)
  end
end

return setmetatable(observers, { __index = listen })
