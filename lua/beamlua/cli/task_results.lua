-- What `task result` and `submit --wait` have in common: the states on stderr as they come, then the result.
local errors = require "beam.error"
local output = require "beamlua.cli.output"
local terminal = require "beamlua.cli.terminal"

local results = {}

--- Progress: for a person, or who asked for it.
function results.say(context, text)
  if context.options.verbose or terminal.is(2) then
    output.say(context, "%s", text)
  end
end

local function print_pickle(bytes)
  if terminal.is(1) then
    local hint = "write it to a file; it is not unpickled here, as that runs what is in it"
    return nil, errors.new { kind = "invalid", message = "the result is a Python pickle", executed = "yes", hint = hint }
  end
  output.write(bytes)
  return 0
end

--- Waits for the end of the task and prints its result.
---@param timeout number? seconds
---@return integer? code, beam.error? err
function results.print(context, task, timeout)
  local now = require("beam.driver").now
  local deadline = timeout and now() + timeout
  local events = task:events(timeout)
  local status = events:next()
  while status do
    results.say(context, status)
    status = events:next()
  end
  if events.err then
    return nil, events.err
  end
  local result, form = task:result(deadline and math.max(0.1, deadline - now()))
  if result == nil then
    return nil, form
  elseif form == "pickle" then
    return print_pickle(result)
  end
  local ok, err = output.json(result)
  return ok and 0, err
end

return results
