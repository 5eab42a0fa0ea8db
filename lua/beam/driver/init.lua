-- The driver: how a wait is done here. Picked once, at load; everything that waits goes through it.
--
--   loop   plain Lua, LÖVE, luv, cqueues, copas: our own loop, or beam.fd() and beam.step() in somebody else's
--   ngx    OpenResty: light threads; never blocks the worker
--
-- A driver is a table with:
--   spawn(fn, ...) -> task     starts a coroutine at once; task:join([timeout]) -> results... | nil, err
--   defer(fn) -> task          starts a coroutine later in the same turn; the one way from an event function to user code
--   attend(fn)                 as defer, for a coroutine that serves an object: it keeps neither run() going nor the object alive
--   attendant(fn) -> start()   attend for work that comes again and again; start() while fn does not run
--   background(fn, ...) -> task   as spawn, for work of an object that outlives who started it: in OpenResty it ends with no request, and
--                              starts soon rather than at once
--   aside(fn, ...) -> results  calls fn where the end of the caller's request does not stop it half-way
--   sleep(seconds)             suspends the caller
--   run([fn, ...])             until nothing is left to wait for; the results of fn
--   step([timeout[, budget]])  does what is due, waits for up to `timeout` seconds for it (default 0), and takes up to `budget` seconds
--   give_way()                 for a coroutine that could go on for long: ends the step if its budget is used
--   fd() -> integer            readable when step() has something to do
--   turn_for(kept, seconds, signal, holds, connection, request) -> boolean   one turn for a caller who waits for one message of a
--                              beam.core.arrivals (reactor.lua, nginx/keeper.lua); where others run meanwhile, holds(connection, request)
--                              says whether it may still be one
--   now() -> seconds           monotonic
--   context() -> beam.core.context
--   signal() -> signal         something to wait for:
--     signal:wait([timeout]) -> boolean   true: woken; false: the time is over. Wakes nobody else, loses nothing
--     signal:wake() -> boolean            wakes the one who has waited longest; false: nobody waits
--     signal:wake_all()
--     signal:is_awaited() -> boolean
--   is_guest() -> boolean      the running coroutine is another event loop's
--   setup(options)             beam.setup
--   attach(), detach()         one more, one fewer object of beam.core may still cause an event. Without any, without a
--                              deadline and with nothing ready, a wait can never end: it raises instead of hanging
--   ref(), unref()             one more, one fewer reason for run() to go on although no coroutine waits (a server, event handlers)
--
-- The rules: event functions of beam.core only change state and wake; they never run user code. Woken coroutines run from a ready
-- queue, after the step, so that user code may always wait. What was woken outside a step keeps fd() readable.
local ngx = rawget(_G, "ngx")
if type(ngx) == "table" and ngx.timer and ngx.get_phase then
  return require "beam.driver.nginx"
end
return require "beam.driver.loop"
