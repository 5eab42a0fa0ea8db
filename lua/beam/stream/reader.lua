-- What the user has of a stream: its items one by one, and why there are no more.
local driver = require "beam.driver"
local errors = require "beam.error"
local event_stream = require "beam.http.event_stream"
local items_of = require "beam.stream.items"
local seconds = require "beam.settings.seconds"

---@class beam.stream
---@overload fun(): any, beam.stream_item?
---@field status integer
---@field headers table<string, string> names in lower case
---@field task_id string?
---@field format string what it is read as; "auto" until that is known
---@field attempts integer
---@field last_id string? as told last, by the items until now: for Last-Event-ID
---@field retry number? seconds to wait before connecting again, as told last
---@field err beam.error? why it broke off; nil while it runs, and after its end
local Stream = {}
local meta = { __name = "beam.stream", __index = Stream }

-- ---- Items ----

-- What events say beside their data. At the end also what came after the last item, in blocks without data.
local function hear(self, id, retry)
  self.last_id, self.retry = id or self.last_id, retry or self.retry
end

local function finish(self, err)
  if self.at_end and not err then
    hear(self, self.parser.last_id, self.parser.retry)
  end
  self.ended, self.err = true, err
  self.body:close()
  if self.observed then
    self.observed(self, err)
  end
end

local function describe(self, err)
  err.status, err.headers, err.task_id = err.status or self.status, self.headers, err.task_id or self.task_id
  err.attempts = self.attempts
  return errors.point_to_logs(err)
end

-- The answer had begun: the handler ran, and perhaps runs on.
local function break_off(self, failure)
  local err = errors.is(failure) and failure or errors.from_core(failure, self.what)
  err.executed, err.retryable, err.hint = "yes", false, "the items until then are good; the handler may run on"
  return describe(self, err)
end

local function too_large(self, message)
  return describe(self, errors.new {
    kind = "too_large",
    message = self.what .. ": " .. message,
    phase = "response",
    executed = "yes",
    hint = "raise max_item, or take format = 'raw'",
  })
end

local function take(self)
  local item = self.items[self.first]
  self.items[self.first] = nil
  self.first = self.first + 1
  hear(self, item.id, item.retry)
  local value, err = items_of.value(item, self.parser.format, self.options, self.options.codec)
  if err then
    err.message = self.what .. ": " .. err.message
    self.items, self.first, self.last = {}, 1, 0 -- however many more came with it
    finish(self, describe(self, err))
    return nil, self.err
  end
  return value, item
end

-- Returns an error if the items cannot be read.
local function parse(self, bytes)
  local items, problem
  if bytes then
    items, problem = self.parser:feed(bytes)
  else
    self.at_end = true
    items, problem = self.parser:finish()
  end
  self.items, self.first, self.last = items or {}, 1, items and #items or 0
  self.format = self.parser.format
  return problem and too_large(self, problem)
end

-- ---- Waiting ----

-- For how long to wait now: the caller's deadline, or the silence that is allowed.
local function patience(self, deadline)
  local now, silence = driver.now(), self.options.idle_timeout
  local idle = silence and math.max(self.body:heard(), self.waiting_since) + silence
  local until_when = math.min(deadline or math.huge, idle or math.huge)
  return until_when < math.huge and math.max(0, until_when - now) or nil, idle
end

local function silent(self)
  local what = "byte of the stream of " .. self.what
  return describe(self, errors.timeout(what, self.options.idle_timeout, { phase = "response", executed = "yes" }))
end

-- Reads on. Returns an error, and whether it is the end of the stream.
local function read(self, deadline, timeout)
  if self.parser.problem then
    return too_large(self, self.parser.problem), true
  end
  local wait, idle = patience(self, deadline)
  local bytes, failure = self.body:read(wait)
  if bytes or not failure then
    return parse(self, bytes), true
  elseif failure.kind ~= "timeout" or self.body:is_over() then
    return break_off(self, failure), true
  elseif idle and driver.now() >= idle then
    return silent(self), true
  end
  return errors.timeout("item of the stream of " .. self.what, timeout, { phase = "response", executed = "yes" }), false
end

--- Waits for the next item. A time-out of its own changes nothing; every other error is the end, and stays in stream.err.
---@param timeout number? seconds; nil: as long as it takes
---@return any item nil at the end and on failure
---@return beam.stream_item|beam.error|nil event how it came: data (the text), event, id, retry; on failure the error
function Stream:next(timeout)
  seconds.check_wait(timeout, "stream:next")
  local deadline = timeout and driver.now() + timeout
  self.waiting_since = self.waiting_since or driver.now()
  while self.first > self.last do
    if self.at_end and not self.ended then
      finish(self)
    end
    if self.ended then
      return nil, self.err
    end
    local err, final = read(self, deadline, timeout)
    if err and not final then
      return nil, err
    elseif err and not self.ended then
      finish(self, err)
    end
  end
  self.waiting_since = nil
  return take(self)
end

meta.__call = require "beam.base.iterate"

--- Ends it: the transfer is cancelled. May be called twice, and at any time.
function Stream:close()
  if not self.ended then
    self.items, self.first, self.last = {}, 1, 0
    finish(self)
  end
end

function meta:__close()
  self:close()
end

function meta:__tostring()
  return ("beam.stream of %s (%s)"):format(self.what, self.err and "broken off" or self.ended and "over" or "open")
end

-- ---- Making one ----

--- Reads an answer that came whole, before anybody asks for its item.
---@return string? text nil on failure
---@return beam.error? err
function Stream:read_whole()
  self.waiting_since = driver.now()
  while not self.at_end do
    local err = read(self)
    if err then
      finish(self, err)
      return nil, err
    end
  end
  return self.items[1].data
end

local reader = {}

---@param body beam.response_stream
---@param what string "POST https://…"
---@param format string
---@param options beam.stream_options
---@return beam.stream
function reader.new(body, what, format, options)
  return setmetatable({
    what = what,
    options = options,
    body = body,
    status = body.status,
    headers = body.headers,
    task_id = body.headers["x-task-id"],
    format = format,
    parser = event_stream.new { format = format, max = options.max_item },
    items = {},
    first = 1,
    last = 0,
    at_end = false, -- the parser has been told
    ended = false,
    observed = false, -- fun(stream, err): is told its end
  }, meta)
end

return reader
