-- Something to wait for: a list of those who wait, the longest first. The links stand in the waiters themselves (a
-- waiter waits for one thing at a time), so that waiting and waking allocate nothing.
--
-- A waiter is {signal=, before=, after=, woken=}; what becomes of it when it is woken is the driver's.
local signal = {}

function signal.link(list, waiter)
  local last = list.last
  waiter.signal, waiter.before, waiter.after = list, last, nil
  if last then
    last.after = waiter
  else
    list.first = waiter
  end
  list.last = waiter
end

--- Nothing happens if it waits for nothing.
function signal.unlink(waiter)
  local list = waiter.signal
  if not list then
    return
  end
  local before, after = waiter.before, waiter.after
  if before then
    before.after = after
  else
    list.first = after
  end
  if after then
    after.before = before
  else
    list.last = before
  end
  waiter.signal, waiter.before, waiter.after = nil, nil, nil
end

return signal
