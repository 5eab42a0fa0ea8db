-- One whole HTTP exchange on beam.core: the request goes out, the caller waits, the answer comes back in one piece. Streamed answers are in
-- response_stream.lua, tries after a failure in attempts.lua.
local driver = require "beam.driver"
local headers = require "beam.headers"

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
---@return beam.core.error? failure nil: an answer came, with whatever status
---@return beam.response? response as far as it came
function exchange.run(request, scope)
  if scope and scope.canceled then
    return canceled(false), nil
  end
  local state = { changed = driver.signal(), over = false, canceled = false }
  local failure, response
  local http, refused = driver.context():http(request, function(_, problem, answer)
    state.over, failure, response = true, problem, answer
    driver.detach()
    state.changed:wake()
  end)
  if not http then
    return refused, nil
  end
  driver.attach()
  wait(state, scope)
  http:free()
  if not state.over then
    driver.detach()
    return canceled(true), nil
  elseif response then
    response.headers = headers.to_table(response.headers)
  end
  return failure, response
end

return exchange
