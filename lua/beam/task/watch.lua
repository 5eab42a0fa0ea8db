-- Watches a task until it has ended: each change of its state once, whatever becomes of the connection.
--
--   look (get) -> not final: listen to the task's events -> they end, or nothing is to be heard: look again …
--
-- Beam's event stream has no ids, no keep-alive, and may end without a final state (docs/wire.md section 6). So each round begins with a
-- look, a stream that is silent for long is checked by one, and where there are no events (the public API, a proxy that swallows them, a
-- server that restarts) the looks alone go on, at longer and longer intervals, while events are tried again from time to time.
local api = require "beam.rest.api"
local driver = require "beam.driver"
local errors = require "beam.error"
local observers = require "beam.observe.observers"
local protect = require "beam.driver.protect"
local json = require "beam.json"
local options_of = require "beam.settings.options"
local response_stream = require "beam.http.response_stream"
local new_parser = require("beam.http.event_stream").new
local retry = require "beam.retry"
local state = require "beam.task.state"

local watch = {}

local first_pause, longest_pause = 1, 10 -- seconds between two looks
local default_silence = 30 -- seconds; Beam's streams say nothing while nothing happens
local longest_stream = 900 -- seconds, after which it is opened anew
local longest_skip = 8 -- looks until events, refused before, are tried again
local max_event = 64 * 1024 * 1024 -- bytes: a task's result is in its last event
local default_retry = retry.backoff { base = 1, max = 10, attempts = 60 }

---@class beam.watch_options
---@field timeout number? seconds in all; default: as long as it takes
---@field interval number? seconds between two looks where there are no events; default: from 1 to 10, longer and longer
---@field silence number? seconds without an event until a look makes sure, default 30
---@field retry beam.retry_policy? Beam cannot be asked: after how many seconds it is again; nil: give up. Default: for some five minutes
watch.options = { timeout = "number", interval = "number", silence = "number", retry = "function" }

---@class beam.task_events
---@overload fun(): string?, table?
---@field err beam.error? why there are no more, if it is not that the task has ended
local Events = {}
local meta = { __name = "beam.task_events", __index = Events }

-- ---- Time ----

local function left(self)
  return self.deadline and self.deadline - driver.now() or math.huge
end

local function late(self)
  local known = self.seen and (" (it is %s)"):format(self.seen.status) or ""
  return errors.timeout(("final state of task %s%s"):format(self.id, known), self.timeout, {
    task_id = self.id,
    task_status = self.seen and self.seen.status,
    executed = "unknown",
    hint = "the task goes on: wait again, or end it with task:cancel()",
  })
end

-- Waits; towards the deadline in shorter and shorter steps, so that there is a last look shortly before it.
local function rest(self, seconds)
  seconds = math.min(seconds, math.max(left(self) / 2, 0.25), left(self))
  if seconds > 0 then
    self.interrupted:wait(seconds)
  end
end

-- How long nothing is asked after a round without news; none after a stream that brought some.
local function pause_after_round(self, brought_news)
  local seconds = self.interval or math.min(first_pause * 1.5 ^ self.quiet, longest_pause)
  self.pause = brought_news and 0 or seconds
  self.quiet = self.quiet + 1
end

-- ---- Looking ----

local function drop_stream(self)
  if self.stream then
    self.stream:close()
    self.stream, self.parser = nil, nil
  end
end

-- Beam could not be asked. Returns an error if that is the end.
local function give_up(self, err)
  drop_stream(self)
  if left(self) <= 0 then
    return late(self)
  end
  self.failures = self.failures + 1
  local ok, seconds = protect.hook(self.retry, self.failures, err)
  if not ok or type(seconds) ~= "number" then
    return err
  end
  self.pause = math.max(0, seconds)
end

local function look(self)
  local record, err = self.api.task(self.settings, self.id, { timeout = math.min(left(self), 30), retry = false })
  if self.over then
    return nil
  elseif err then
    return nil, give_up(self, err)
  end
  self.failures, self.may_listen = 0, true
  return record
end

-- ---- Listening ----

-- The longer events are refused, the more looks go by without them.
local function skip_events(self)
  self.refusals = self.refusals + 1
  self.skip = math.min(2 ^ (self.refusals - 1), longest_skip)
end

local function open_stream(self)
  local path = self.api.events_path(self.settings, self.id, math.min(left(self), 30))
  local auth = path and options_of.credentials(self.settings, {})
  if not auth or left(self) <= 0 then
    return nil
  end
  local request = api.prepare(self.settings, "GET", path, { accept = "text/event-stream" })
  request.auth, request.timeout = auth, math.min(left(self), longest_stream)
  local stream = response_stream.open(request, nil, self.silence)
  if stream and stream.status ~= 200 then
    stream:close()
    return nil
  end
  return stream
end

local function start_listening(self)
  self.may_listen = false
  if not self.api.events_path then
    return pause_after_round(self)
  elseif self.skip > 0 then
    self.skip = self.skip - 1
    return pause_after_round(self)
  end
  local stream = open_stream(self)
  if self.over and stream then
    stream:close()
  elseif stream then
    self.stream, self.parser = stream, new_parser { format = "sse", max = max_event }
    self.opened, self.brought_news = driver.now(), false
  else
    skip_events(self)
    pause_after_round(self)
  end
end

-- The stream ended, by itself or by force, and perhaps in the middle of an event: what became of the task, a look will say.
local function stop_listening(self)
  drop_stream(self)
  local lasted = driver.now() - self.opened >= longest_pause
  if self.brought_news or lasted then
    self.refusals, self.quiet = 0, 0
  end
  pause_after_round(self, self.brought_news or lasted)
end

-- Nothing came for long. If the look tells what the stream should have told, there is no use in that stream.
local function make_sure(self)
  local record, err = look(self)
  if record and self.stream and record.status ~= (self.seen and self.seen.status) then
    drop_stream(self)
    skip_events(self)
    self.may_listen = false
  end
  return record, err
end

local function take_events(self, bytes)
  local items = self.parser:feed(bytes)
  if not items then -- larger than anything Beam sends
    return stop_listening(self)
  end
  for _, item in ipairs(items) do
    local record = (item.event == nil or item.event == "status" or item.event == "message") and json.decode(item.data)
    if type(record) == "table" then
      self.arrived[#self.arrived + 1] = record
    end
  end
end

local function listen(self)
  local wait = math.min(left(self), self.silence)
  local began = driver.now()
  local bytes, failure = self.stream:read(wait)
  if self.over then
    return nil
  elseif bytes then
    take_events(self, bytes)
  elseif failure and failure.kind == "timeout" and driver.now() - began >= wait - 0.01 then
    return make_sure(self)
  else
    stop_listening(self)
  end
end

-- ---- The changes ----

-- Does what is next. Returns a record if there is one, or nil and an error.
local function advance(self)
  if self.arrived[1] then
    return table.remove(self.arrived, 1)
  elseif left(self) <= 0 then
    return nil, late(self)
  elseif self.stream then
    return listen(self)
  elseif self.pause then
    local seconds = self.pause
    self.pause, self.may_listen = nil, false
    return rest(self, seconds)
  elseif self.may_listen then
    return start_listening(self)
  end
  return look(self)
end

-- A state that was told before, or was overtaken on the way, is none.
local function is_news(self, record)
  local id = record.id or record.external_id
  if type(record.status) ~= "string" or type(id) == "string" and id ~= self.id and record.external_id ~= self.id then
    return false
  end
  return not self.seen or record.status ~= self.seen.status and not state.is_older(record, self.seen)
end

local function finish(self, err)
  local first = not self.over
  self.over, self.err = true, self.err or err
  drop_stream(self)
  if first and self.observed then
    self.observed(self, err)
  end
end

--- Waits for the next change; the first is the state that the task is in now.
---@return string? status nil: it has ended, or an error
---@return table|beam.error|nil record Beam's, or the error
function Events:next()
  while not self.over do
    local record, err = advance(self)
    if err then
      finish(self, err)
    elseif record and is_news(self, record) then
      self.seen, self.quiet, self.brought_news = record, 0, true
      self.on_news(record)
      if state.is_final(record.status) then
        finish(self)
      end
      return record.status, record
    end
  end
  return nil, self.err
end

meta.__call = require "beam.base.iterate"

--- No more; a next() that waits in another coroutine returns nil.
function Events:close()
  finish(self)
  self.interrupted:wake_all()
end

meta.__close = Events.close

---@param settings beam.settings
---@param id string of the task
---@param options beam.watch_options checked
---@param on_news fun(record: table) is told each change before the caller of next() is
---@return beam.task_events
function watch.new(settings, id, options, on_news)
  local events = setmetatable({
    settings = settings,
    api = api.of(settings),
    id = id,
    timeout = options.timeout,
    deadline = options.timeout and driver.now() + options.timeout,
    interval = options.interval,
    silence = options.silence or default_silence,
    retry = options.retry or default_retry,
    on_news = on_news,
    interrupted = driver.signal(),
    arrived = {}, -- records of events that nobody has looked at yet
    failures = 0, -- looks in a row that failed
    quiet = 0, -- rounds without news
    refusals = 0, -- of events, in a row
    skip = 0, -- looks until they are tried again
    may_listen = false,
    over = false,
    observed = false, -- fun(events, err): is told the end
  }, meta)
  if observers.watched then
    observers.watched(events, settings)
  end
  return events
end

return watch
