-- An answer that is read while it comes. What has come and was not read is bounded: beyond that the exchange pauses, and TCP holds the
-- server back.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local headers = require "beam.settings.headers"
local upload = require "beam.http.upload"

local response_stream = {}

local high_water = 192 * 1024 -- bytes that wait, with which reading stops; a piece is up to 64 KiB
local low_water = 64 * 1024 -- and goes on

---@class beam.response_stream
---@field status integer
---@field headers table<string, string> names in lower case
local Stream = {}
local meta = { __name = "beam.response_stream", __index = Stream }

local function own_failure(kind, message)
  return { kind = kind, message = message, phase = "response", host = "", sent = true }
end

-- ---- The exchange: it knows nothing of the object that reads, which may be forgotten ----

local function finish(state, failure)
  if state.over then
    return
  end
  state.over, state.failure = true, failure
  state.http:free()
  driver.detach()
  state.changed:wake_all()
  if state.drained then
    state.drained:wake_all()
  end
end

local arrive = {}

function arrive.headers(state, status, list)
  state.status, state.headers = status, headers.to_table(list)
end

function arrive.data(state, bytes)
  state.last = state.last + 1
  state[state.last] = bytes
  state.bytes = state.bytes + #bytes
  state.heard = driver.now()
  if state.bytes >= high_water and not state.paused then
    state.paused = true
    state.http:pause()
  end
end

function arrive.drained(state)
  state.drained:wake()
end

function arrive.done(state, failure, response)
  state.status = state.status or response and response.status
  finish(state, failure)
end

local function start(request, source)
  local state = { changed = driver.signal(), first = 1, last = 0, bytes = 0, heard = driver.now(), paused = false, over = false }
  request.stream = true
  local http, refused = driver.context():http(request, function(event, ...)
    arrive[event](state, ...)
    if event ~= "drained" then
      state.changed:wake_all()
    end
  end)
  if not http then
    return nil, refused
  end
  driver.attach()
  state.http = http
  if source then
    state.drained = driver.signal()
    upload.feed(source, http, state, function(err)
      finish(state, err)
    end)
  end
  return state
end

local function take(state)
  local bytes = state[state.first]
  state[state.first] = nil
  state.first = state.first + 1
  state.bytes = state.bytes - #bytes
  if state.paused and state.bytes <= low_water and not state.over then
    state.paused = false
    state.http:resume()
  end
  return bytes
end

-- ---- Reading ----

--- Starts an exchange and waits for the head of its answer, whatever its status. What the request sets as its time-out bounds it to the
--- end of its body.
---@param request beam.core.http_options
---@param source beam.upload? the body, if it comes in pieces
---@param patience number? seconds for the head alone
---@return beam.response_stream? stream
---@return beam.core.error|beam.error|nil failure why there is none; a beam.error if it is the source's
function response_stream.open(request, source, patience)
  local state, refused = start(request, source)
  if not state then
    return nil, refused
  end
  local self = setmetatable({ state = state }, meta)
  self.guard = compat.guard(function()
    finish(state, own_failure("canceled", "the stream was forgotten"))
  end)
  local deadline = patience and driver.now() + patience
  while not state.headers do
    if state.over then
      return nil, state.failure
    elseif not state.changed:wait(deadline and math.max(0, deadline - driver.now())) then
      finish(state, own_failure("timeout", ("no head of an answer came within %g s"):format(patience)))
    end
  end
  self.status, self.headers = state.status, state.headers
  return self
end

--- The next bytes. A time-out changes nothing: the next read goes on.
---@param timeout number? seconds; nil: as long as it takes
---@return string? bytes nil at the end, or
---@return beam.core.error|beam.error|nil failure why it broke off
function Stream:read(timeout)
  local state = self.state
  local deadline = timeout and driver.now() + timeout
  while state.first > state.last do
    if state.over then
      return nil, state.failure
    elseif not state.changed:wait(deadline and math.max(0, deadline - driver.now())) and state.first > state.last and not state.over then
      return nil, own_failure("timeout", ("nothing came within %g s"):format(timeout))
    end
  end
  return take(state)
end

---@return boolean nothing more will come; what has come may still be read
function Stream:is_over()
  return self.state.over
end

---@return number when something came last, by driver.now()
function Stream:heard()
  return self.state.heard
end

--- Ends it, and what is left unread is gone; the connection is closed unless the answer had ended. May be called twice, and at any time.
function Stream:close()
  local state = self.state
  finish(state, own_failure("canceled", "the stream was closed"))
  for place = state.first, state.last do
    state[place] = nil
  end
  state.first, state.last, state.bytes = 1, 0, 0
end

meta.__close = Stream.close

function meta:__tostring()
  return ("beam.response_stream (%s)"):format(self.state.over and "over" or tostring(self.status))
end

return response_stream
