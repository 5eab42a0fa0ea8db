-- beamlua completion bash|zsh|fish
local completions = require "beamlua.cli.completions"
local exit_codes = require "beamlua.cli.exit_codes"
local output = require "beamlua.cli.output"

return function(context)
  local shell = context.positionals[1]
  local make = completions[shell]
  if not make then
    io.stderr:write(("beamlua completion: there are completions for bash, zsh and fish, not for '%s'\n"):format(shell))
    return exit_codes.usage
  end
  output.write(make())
  return 0
end
