-- One whole HTTP exchange on beam.core: the request goes out, the caller waits, the answer comes back in one piece. Streamed answers are in
-- response_stream.lua, tries after a failure in attempts.lua.
local driver = require "beam.driver"
local headers = require "beam.headers"
local upload = require "beam.http.upload"

local exchange = {}

---@class beam.response
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string? as it came, after decompression; nil of a streamed one

local function canceled(sent)
  return { kind = "canceled", message = "cancelled by the caller", phase = sent and "request" or "none", host = "", sent = sent }
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
  local state = { changed = driver.signal(), drained = source and driver.signal(), over = false, canceled = false }
  local failure, response
  local function finish(problem, answer)
    state.over, failure, response = true, problem, answer
    driver.detach()
    state.changed:wake()
    if state.drained then
      state.drained:wake()
    end
  end
  local http, refused = driver.context():http(request, function(event, problem, answer)
    if event == "drained" then
      state.drained:wake()
    elseif not state.over then
      finish(problem, answer)
    end
  end)
  if not http then
    return refused, nil
  end
  driver.attach()
  if source then
    upload.feed(source, http, state, finish)
  end
  wait(state, scope)
  http:free()
  if not state.over then
    finish(canceled(true))
  elseif response then
    response.headers = headers.to_table(response.headers)
  end
  return failure, response
end

return exchange
