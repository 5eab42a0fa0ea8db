-- Where a message has no room: what says so, and the wait until there is some. The methods here are those of
-- beam/realtime/connection.lua's connections.
local driver = require "beam.driver"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"
local seconds = require "beam.settings.seconds"

---@class beam.connection
local Room = {}

local known = { wait = true, timeout = true }

-- ---- No room ----

--- The network takes no more.
function Room:too_much(pending)
  return nil,
    errors.new {
      kind = "queue_full",
      message = ("%d bytes wait to be sent to %s, which reads too slowly"):format(pending, self.url),
      phase = self:error_phase(),
      retryable = true,
      hint = "wait for room (send with wait = true), send less at a time, or raise max_pending",
    }
end

--- The outbox is full, or as much is in flight as may be.
function Room:queue_full()
  local outbox = self.outbox
  return nil,
    errors.new {
      kind = "queue_full",
      message = ("%d messages of %d bytes wait to be sent to %s"):format(outbox:count(), outbox.bytes, self.url),
      phase = self:error_phase(),
      retryable = true,
      hint = "wait for room (send with wait = true), send less often, raise queue.max or queue.max_bytes, or say with queue.overflow "
        .. "what may be dropped",
    }
end

--- What becomes of messages is told to a handler that does not keep up.
function Room:handler_behind()
  return nil,
    errors.new {
      kind = "queue_full",
      message = ("%d outcomes of messages to %s wait for on_outcome"):format(self.handlers:backlog(), self.url),
      phase = self:error_phase(),
      retryable = true,
      hint = "wait for room (send with wait = true), send less often, or do not wait in on_outcome",
    }
end

-- ---- Waiting for some ----

local function check(options, where)
  errors.check_table(options, where)
  for name in next, options do
    if not known[name] then
      errors.check_options(options, known, where)
    end
  end
  local wait, timeout = options.wait, options.timeout
  if wait and wait ~= true then
    mistake(where .. ": 'wait' is true or false; 'timeout' is for how long")
  elseif timeout ~= nil then
    seconds.check(timeout, where .. ": option 'timeout'", 0)
  end
end

--- How long a message may wait for room.
---@param options beam.send_options?
---@param where string for messages
---@return number? seconds nil: it does not wait
function Room:may_wait_for(options, where)
  local wait, timeout = self.waits_for_room, self.room_timeout
  if options then
    check(options, where)
    wait = options.wait == nil and wait or options.wait
    timeout = options.timeout or timeout
  end
  return wait and timeout or nil
end

local function no_room(self, err)
  return nil,
    errors.new {
      kind = "timeout",
      message = ("there was no room in time: %s"):format(err.message),
      phase = self:error_phase(),
      executed = "no",
      retryable = true,
      hint = "the peer reads, or the connection comes back, too slowly for what is sent: wait longer, or send less",
    }
end

--- Calls submit(self, true, ...), which has just said `err`, until there is room, for up to so many seconds.
---@return true?, beam.error?
function Room:when_there_is_room(wait_for, err, submit, ...)
  local deadline = driver.now() + wait_for
  local ok
  repeat
    local left = deadline - driver.now()
    if left <= 0 then
      return no_room(self, err)
    end
    self.awaits_room = true
    self:own_signal("room"):wait(left)
    ok, err = submit(self, true, ...)
  until ok or err.kind ~= "queue_full"
  if ok then
    self.room:wake() -- there may be more of it
  end
  return ok, err
end

return Room
