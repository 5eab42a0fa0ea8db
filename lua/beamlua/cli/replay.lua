-- beamlua serve --replay FILE: plays the server's part of a recording. Exit code 0: the client did as the recorded one; 1: it differed.
local exit_codes = require "beamlua.cli.exit_codes"

local allowed = { replay = true, fast = true, speed = true, exact = true, patience = true, port = true, host = true, quiet = true }

-- What of the command line makes no sense together, or nil.
local function mistake(context)
  local surplus = context.positionals[1]
  for name in pairs(context.options) do
    surplus = surplus or not allowed[name] and "--" .. name
  end
  if surplus then
    return surplus .. " makes no sense with --replay: what is answered stands in the recording"
  elseif context.options.fast and context.options.speed then
    return "one of --fast and --speed"
  end
end

local function complain(context, problem, code)
  io.stderr:write(context.title, ": ", problem, "\n")
  return code or exit_codes.script
end

return function(context)
  local problem = mistake(context)
  if problem then
    return complain(context, problem, exit_codes.usage)
  end
  local given = context.options
  local path = given.replay
  local replay, err = require("beam.replay").listen(path, {
    host = given.host,
    port = given.port or 1994,
    speed = given.fast and math.huge or given.speed,
    exact = given.exact,
    patience = given.patience,
  })
  if not replay then
    return complain(context, err.message, exit_codes[err.kind])
  end
  print(("replay of %s at %s (BEAM_GATEWAY_URL=%s)"):format(path, replay.url, replay.url))
  io.stdout:flush()
  local report = replay:wait()
  print(report)
  return report.ok and 0 or exit_codes.script
end
