-- What a command says of an error, and the exit code that it ends with.
local exit_codes = require "beamlua.cli.exit_codes"
local terminal = require "beamlua.cli.terminal"
local whereabouts = require "beamlua.cli.whereabouts"

local failure = {}

-- What a person sees of an error: one line, in colours where there are any.
local function show(title, err)
  local paint = terminal.painter(2)
  local hint = err.hint and paint("grey", (" (%s)"):format(err.hint)) or ""
  io.stderr:write(title, ": ", paint("red", err.kind), ": ", err.message, hint, "\n")
end

-- Beam is asked what was meant, where it does not know the deployment.
local function ask(context, command, err)
  local client = command.asks and context.client()
  if client then
    whereabouts.explain(client, context.positionals[1], context.options.kind or command.asks, err)
  end
end

--- Tells of it. May wait.
---@param context table of beamlua/cli/command.lua
---@param command table a row of beamlua/cli/commands.lua
---@param err beam.error
---@return integer code
function failure.tell(context, command, err)
  ask(context, command, err)
  show(command.title, err)
  return exit_codes[err.kind] or exit_codes.script
end

return failure
