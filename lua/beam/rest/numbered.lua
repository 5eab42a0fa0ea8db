-- A stream of the API whose events have numbers (logs, events: docs/wire.md section 7), as one that never breaks off: after a lost
-- connection the next one begins behind the last number (Last-Event-ID), what comes a second time is dropped, and what waits unread is
-- bounded by the socket. Such a stream is silent while nothing happens: after a silence it is opened anew, which costs nothing and finds a
-- dead connection.
--
-- A reading that is not to follow, or whose subject has ended, asks with wait=N: then Beam ends the stream when it has come to its end.
local answer_error = require "beam.http.answer_error"
local api = require "beam.rest.api"
local driver = require "beam.driver"
local errors = require "beam.error"
local protect = require "beam.driver.protect"
local http_date = require "beam.http.date"
local json = require "beam.json"
local moment = require "beam.rest.moment"
local new_parser = require("beam.http.event_stream").new
local options_of = require "beam.settings.options"
local response_stream = require "beam.http.response_stream"
local retry = require "beam.retry"

local numbered = {}

local default_silence = 60 -- seconds
local longest_stream = 900 -- seconds, after which it is opened anew
local longest_head = 30 -- seconds until an answer begins
local max_event = 16 * 1024 * 1024 -- bytes
local last_wait = 1 -- seconds that Beam waits for more at the end
local first_attempts = 4 -- of a stream that never was opened, where nobody says otherwise: a wrong address is no outage
local default_retry = retry.backoff { base = 0.5, max = 10, attempts = 60 }

---@class beam.numbered the state of one; the entries first to last wait to be read
---@field first integer
---@field last integer
---@field over boolean
---@field err beam.error? why, if it did not come to its end
---@field on_end fun()? called when it is over
---@field path fun(timeout: number): string?, beam.error? of the API; to be set, as doubt
---@field doubt fun() the last path was refused: what it was made of may be wrong

-- ---- Numbers: up to 64 bits, which not every Lua has ----

local function is_later(id, than)
  id, than = id:gsub("^0+", ""), than:gsub("^0+", "")
  return #id > #than or #id == #than and id > than
end

-- ---- Ends ----

local function drop(state)
  if state.stream then
    state.stream:close()
    state.stream, state.parser = nil, nil
  end
end

--- It is over. May be called twice.
---@param state beam.numbered
---@param err beam.error?
function numbered.finish(state, err)
  if not state.over then
    state.over, state.err = true, err
    drop(state)
    if state.on_end then
      state.on_end()
    end
    state.interrupted:wake_all()
  end
end

-- It failed: after how long is it asked again?
local function give_up(state, err)
  drop(state)
  state.failures = state.failures + 1
  if not state.retry and not state.opened_at and state.failures >= first_attempts then
    return numbered.finish(state, err)
  end
  local ok, seconds = protect.hook(state.retry or default_retry, state.failures, err)
  if not ok or type(seconds) ~= "number" then
    return numbered.finish(state, err)
  end
  state.pause = math.max(0, seconds)
end

-- ---- Opening ----

-- Where to begin: behind what was read, or at a time, or at the beginning.
local function begin(state, query, headers)
  state.bounded = state.ending or not state.follow
  if state.last_id then
    headers["Last-Event-ID"] = state.last_id
  elseif state.since then
    query.start_time = state.since
  elseif not state.follow then
    query.seq_num = 0
  elseif state.opened_at then -- nothing came so far: from when it was opened first, by the server's clock
    query.start_time = state.opened_at
  end
  query.wait = state.bounded and last_wait or nil
end

local function left(state)
  return state.deadline and state.deadline - driver.now() or math.huge
end

-- Refusals that may be of a token or a workspace that is another one by now: one more try, with what is known then.
local doubtful = { [400] = true, [401] = true, [403] = true, [404] = true }

local function refusal(state, stream, what, scheme)
  local body = stream:read(5) or ""
  stream:close()
  local err = api.from_answer(what, { status = stream.status, headers = stream.headers, body = body:sub(1, 4096) }, scheme)
  local again = doubtful[stream.status] and not state.refused
  state.refused = doubtful[stream.status] or false
  if answer_error.text_of(err.body):find("not configured", 1, true) then
    err.retryable, err.hint = false, "this gateway keeps none: ask whoever runs it"
  end
  if again then
    state.doubt()
    state.pause = 0
  else
    give_up(state, err)
  end
end

local function request_for(state)
  local patience = math.min(left(state), longest_head)
  local path, err = state.path(patience)
  local auth
  if path then
    auth, err = options_of.credentials(state.settings, {}, patience)
  end
  if not auth then
    return nil, err
  end
  local query, headers = {}, {}
  for name, value in pairs(state.query) do
    query[name] = value
  end
  begin(state, query, headers)
  local request, what = api.prepare(state.settings, "GET", path, { query = query, accept = "text/event-stream" })
  for name, value in pairs(headers) do
    table.insert(request.headers, { name, value })
  end
  request.auth, request.timeout = auth, math.max(0.001, math.min(left(state), longest_stream))
  return request, what
end

local function take_stream(state, stream)
  state.stream, state.parser, state.refused = stream, new_parser { format = "sse", max = max_event }, false
  state.began = driver.now()
  local at = http_date.parse(stream.headers.date or "", os.time()) or os.time()
  state.opened_at = state.opened_at or moment.format(at)
end

local function open(state)
  local request, what = request_for(state)
  if state.over then
    return
  elseif not request then
    return give_up(state, what)
  end
  local stream, failure = response_stream.open(request, nil, longest_head)
  request.auth = nil
  if state.over then
    return stream and stream:close()
  elseif stream and state.ending and not state.bounded then -- what it follows has ended meanwhile
    stream:close()
  elseif not stream then
    give_up(state, errors.is(failure) and failure or api.from_core(failure, what))
  elseif stream.status ~= 200 then
    refusal(state, stream, what, "bearer")
  else
    state.what = what
    take_stream(state, stream)
  end
end

-- ---- Reading ----

local function is_new(state, item)
  if item.id and item.id:find "^%d+$" then
    if state.last_id and not is_later(item.id, state.last_id) then
      return false
    end
    state.last_id = item.id
  end
  return true
end

local function take_items(state, bytes)
  local items, problem = state.parser:feed(bytes)
  if not items then
    return numbered.finish(state, errors.new { kind = "too_large", message = state.what .. ": " .. problem, phase = "response" })
  end
  for _, item in ipairs(items) do
    local record = json.decode(item.data)
    if item.event == "error" and type(record) == "table" and not record.seq_num then
      local said = answer_error.text_of(record)
      local message = state.what .. " was ended by an error: " .. said
      state.told = errors.new { kind = "http", message = message, phase = "response", retryable = true }
    elseif type(record) == "table" and is_new(state, item) then
      state.last = state.last + 1
      state[state.last] = { record = record, event = item.event }
      state.failures, state.silent = 0, false
    end
  end
end

-- Beam ended it.
local function come_to_the_end(state)
  drop(state)
  if state.told then
    local told = state.told
    state.told = nil
    give_up(state, told)
  elseif state.bounded then
    numbered.finish(state)
  else
    state.pause = driver.now() - state.began < 1 and 1 or 0
  end
end

-- The next one begins where it was. Beam does not end a stream while others say what it numbers along: whoever reads what there is so far
-- has all of it when nothing came twice.
local function take_silence(state)
  drop(state)
  if state.bounded and state.silent and left(state) > 0 then
    numbered.finish(state)
  end
  state.silent = true
end

local function read(state)
  local silence = math.min(left(state), state.silence)
  local asked = driver.now()
  local bytes, failure = state.stream:read(silence)
  if state.over or not state.stream then
    return
  elseif bytes then
    take_items(state, bytes)
  elseif not failure then
    come_to_the_end(state)
  elseif failure.kind == "timeout" and driver.now() - asked >= silence - 0.01 then
    take_silence(state)
  else
    local err = api.from_core(failure, state.what)
    err.retryable = true
    give_up(state, err)
  end
end

--- Does what is next: opens, reads, waits.
---@param state beam.numbered
function numbered.advance(state)
  if left(state) <= 0 then
    local fields = { hint = "it goes on: follow it again, since = … says from when" }
    numbered.finish(state, errors.timeout("end of " .. state.name, state.timeout, fields))
  elseif state.pause and state.pause > 0 then
    local seconds = math.min(state.pause, left(state))
    state.pause = nil
    state.interrupted:wait(seconds)
  elseif state.stream then
    read(state)
  else
    state.pause = nil
    open(state)
  end
end

--- What it follows has ended: Beam is asked for what is left of it, and that is the end.
---@param state beam.numbered
function numbered.bring_to_an_end(state)
  state.ending, state.silent = true, false
  drop(state)
  state.interrupted:wake_all()
end

---@class beam.numbered_options
---@field settings beam.settings
---@field name string what a time-out calls it
---@field query table
---@field follow boolean?
---@field since string?
---@field timeout number? seconds in all
---@field silence number?
---@field retry beam.retry_policy?

---@param options beam.numbered_options
---@return beam.numbered
function numbered.new(options)
  return {
    settings = options.settings,
    name = options.name,
    query = options.query,
    follow = options.follow or false,
    since = options.since,
    timeout = options.timeout,
    deadline = options.timeout and driver.now() + options.timeout,
    silence = options.silence or default_silence,
    retry = options.retry,
    interrupted = driver.signal(),
    first = 1, -- the entries first to last wait to be read
    last = 0,
    failures = 0, -- in a row
    silent = false, -- a silence was the last that came
    over = false,
  }
end

return numbered
