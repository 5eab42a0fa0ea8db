-- One whole HTTP exchange on beam.core: the request goes out, the caller waits, the answer comes back in one piece. Streamed answers are in
-- response_stream.lua, tries after a failure in attempts.lua.
local driver = require "beam.driver"
local headers = require "beam.settings.headers"
local upload = require "beam.http.upload"

local exchange = {}

---@class beam.response
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string? as it came, after decompression; nil of a streamed one

local function canceled(sent)
  return { kind = "canceled", message = "cancelled by the caller", phase = sent and "request" or "none", host = "", sent = sent }
end

-- What an exchange waits with. Those without a source are used again: making one costs more than all else that Lua does for a short
-- exchange.
local spare, spare_count, most_spare = {}, 0, 64

local function new_state(drained)
  local state = { changed = driver.signal(), drained = drained, over = false, canceled = false, failure = nil, response = nil }
  function state.finish(failure, response)
    state.over, state.failure, state.response = true, failure, response
    driver.detach()
    state.changed:wake()
    if state.drained then
      state.drained:wake()
    end
  end
  function state.on_event(event, failure, response)
    if event == "drained" then
      state.drained:wake()
    elseif not state.over then
      state.finish(failure, response)
    end
  end
  return state
end

local function take_state(source)
  if source or spare_count == 0 then
    return new_state(source and driver.signal() or false)
  end
  local state = spare[spare_count]
  spare[spare_count] = nil
  spare_count = spare_count - 1
  return state
end

-- After the exchange was freed: no event comes any more. A source may still look at its state.
local function give_back(state)
  if not state.drained and spare_count < most_spare then
    state.over, state.canceled, state.failure, state.response = false, false, nil, nil
    spare_count = spare_count + 1
    spare[spare_count] = state
  end
end

local function wait(state, scope)
  if scope then
    scope:enter(state)
  end
  while not (state.over or state.canceled) do
    state.changed:wait()
  end
  if scope then
    scope:leave(state)
  end
end

--- Runs an exchange to its end. Waits; the request's own time-outs bound it.
---@param request beam.core.http_options
---@param scope beam.scope? ends it when it is cancelled, with a failure of kind "canceled"
---@param source beam.upload? the body, if it comes in pieces
---@return beam.core.error|beam.error|nil failure nil: an answer came, with whatever status; a beam.error is the source's
---@return beam.response? response as far as it came
function exchange.run(request, scope, source)
  if scope and scope.canceled then
    return canceled(false), nil
  end
  local state = take_state(source)
  request.by_name = true
  local http, refused = driver.context():http(request, state.on_event)
  if not http then
    give_back(state)
    return refused, nil
  end
  driver.attach()
  if source then
    upload.feed(source, http, state, state.finish)
  end
  wait(state, scope)
  http:free()
  if not state.over then
    state.finish(canceled(true))
  end
  local failure, response = state.failure, state.response
  give_back(state)
  if response then
    response.headers = headers.to_table(response.headers)
  end
  return failure, response
end

--- The same for a plan, with a body that is a text.
---@param plan beam.core.http_plan
---@param body string
---@param timeout number
---@return beam.core.error? failure
---@return beam.response? response
function exchange.send(plan, body, timeout)
  local state = take_state()
  local http, refused = driver.context():send(plan, state.on_event, body, timeout)
  if not http then
    give_back(state)
    return refused, nil
  end
  driver.attach()
  while not state.over do
    state.changed:wait()
  end
  local failure, response = state.failure, state.response
  give_back(state)
  if failure and response then
    response.headers = headers.to_table(response.headers)
  end
  return failure, response
end

return exchange
