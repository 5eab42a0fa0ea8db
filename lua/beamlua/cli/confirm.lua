-- What cannot be taken back is asked about at a terminal; elsewhere it wants --yes.
local errors = require "beam.error"
local terminal = require "beamlua.cli.terminal"

---@param context table of beamlua/cli/command.lua
---@param question string "delete train/v3"
---@return true? sure, beam.error? err
return function(context, question)
  if context.options.yes then
    return true
  elseif not (terminal.is(0) and terminal.is(2)) then
    local message = "nobody is there to be asked whether to " .. question
    return nil, errors.new { kind = "invalid", message = message, hint = "--yes says so" }
  end
  io.stderr:write(question, "? [y/N] ")
  io.stderr:flush()
  local answer = io.read "l" or ""
  if answer:find "^%s*[yY]" then
    return true
  end
  return nil, errors.new { kind = "canceled", message = "nothing was done" }
end
