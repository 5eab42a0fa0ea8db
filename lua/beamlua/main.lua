-- beamlua's command line: a command, or a script for the interpreter. Returns a function of the host's table (received, watch, folder,
-- version …) and the arguments, program name at 0; that returns the exit code (beamlua/cli/exit_codes.lua).
--
-- The C side makes 130 and 143 of SIGINT and SIGTERM.
return function(host, arguments)
  require "beamlua.core"(host)
  beam = require "beam" -- luacheck: globals beam
  if arguments[1] == "--watch" then
    arguments[1] = "watch"
  end
  local first = arguments[1] or ""
  if first == "--version" then
    print(("beamlua %s, %s"):format(host.version, _VERSION))
    return 0
  end
  if first:find "^[a-z]+$" and require("beamlua.cli.commands").find(first) or first == "--help" or first == "-h" then
    return require "beamlua.cli.command"(host, arguments)
  end
  return require "beamlua.interpreter"(host, arguments)
end
