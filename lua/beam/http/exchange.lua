-- One whole HTTP exchange on beam.core: the request goes out, the caller waits, the answer comes back in one piece. Streamed answers are in
-- response_stream.lua, tries after a failure in attempts.lua.
local driver = require "beam.driver"
local headers = require "beam.headers"

local exchange = {}

---@class beam.response
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string? as it came, after decompression; nil of a streamed one

--- Runs an exchange to its end. Waits; the request's own time-outs bound it.
---@param request beam.core.http_options
---@return beam.core.error? failure nil: an answer came, with whatever status
---@return beam.response? response as far as it came
function exchange.run(request)
  local done = driver.signal()
  local over, failure, response = false, nil, nil
  local http, refused = driver.context():http(request, function(_, problem, answer)
    over, failure, response = true, problem, answer
    driver.detach()
    done:wake()
  end)
  if not http then
    return refused, nil
  end
  driver.attach()
  while not over do
    done:wait()
  end
  http:free()
  if response then
    response.headers = headers.to_table(response.headers)
  end
  return failure, response
end

return exchange
