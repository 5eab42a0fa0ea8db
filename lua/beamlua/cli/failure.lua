-- What a command says of an error, and the exit code that it ends with.
local exit_codes = require "beamlua.cli.exit_codes"
local json = require "beam.json"
local status_codes = require "beamlua.cli.errors.status_codes"
local terminal = require "beamlua.cli.terminal"
local whereabouts = require "beamlua.cli.errors.whereabouts"
local words = require "beamlua.cli.errors.words"

local failure = {}

-- What a person sees of an error: one line, in colours where there are any.
local function show(title, err)
  local paint = terminal.painter(2)
  local hint = err.hint and paint("grey", (" (%s)"):format(err.hint)) or ""
  io.stderr:write(title, ": ", paint("red", err.kind), ": ", err.message, hint, "\n")
end

-- With --json: one line of JSON, on stderr as well.
local fields = {
  "kind",
  "message",
  "phase",
  "host",
  "status",
  "code",
  "reason",
  "executed",
  "retryable",
  "retry_after",
  "task_id",
  "task_status",
  "failure_reason",
  "attempts",
  "elapsed",
  "hint",
  "body",
}

--- An error as JSON, with the exit code that it has.
---@param err beam.error
---@return string
function failure.json(err)
  local shown = { exit_code = failure.code(err) }
  for _, name in ipairs(fields) do
    shown[name] = err[name]
  end
  local text = json.encode(shown)
  if not text then -- a body that JSON does not take
    shown.body = nil
    text = json.encode(shown)
  end
  return text or "{}"
end

-- Beam is asked what was meant, where it does not know the deployment.
local function ask(context, command, err)
  local client = command.asks and context.client()
  if client then
    whereabouts.explain(client, context.positionals[1], context.options.kind or command.asks, err)
  end
end

--- The code of an error: that of its status, if it has one that tells something, else that of its kind.
---@param err beam.error
---@return integer
function failure.code(err)
  local by_status = (err.kind == "http" or err.kind == "handshake") and status_codes.of(err.status)
  return by_status or exit_codes[err.kind] or exit_codes.script
end

--- Tells of it. May wait.
---@param context table of beamlua/cli/command.lua
---@param command table a row of beamlua/cli/commands.lua
---@param err beam.error
---@return integer code
function failure.tell(context, command, err)
  ask(context, command, err)
  err.hint = err.hint and words.of_shell(err.hint)
  err.message = words.of_message(err.message)
  local code = failure.code(err)
  if context.options.json then
    io.stderr:write(failure.json(err), "\n")
  else
    show(command.title, err)
  end
  return code
end

return failure
