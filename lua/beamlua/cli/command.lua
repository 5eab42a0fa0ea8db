-- Runs a command: finds it, reads its arguments, hands over to beamlua/command/NAME.lua.
--
-- Such a module is a function of a table { host, name, options, positionals, client(further options) } that waits as it likes and returns
-- the exit code, or nil and an error.
local arguments_of = require "beamlua.cli.arguments"
local commands = require "beamlua.cli.commands"
local exit_codes = require "beamlua.cli.exit_codes"
local failure = require "beamlua.cli.failure"
local help = require "beamlua.cli.help"
local run = require "beamlua.run"
local terminal = require "beamlua.cli.terminal"
local visible = require "beam.base.visible"

local function complain(command, what)
  io.stderr:write(command.title, ": ", what, "\n", help.usage(command), "\n'", command.title, " --help' says more\n")
  return exit_codes.usage
end

local function print_help(text)
  io.stdout:write(text)
  return 0
end

-- ---- Errors ----

-- A mistake that the module raises is the command line's: "beam.call: input is an array …". Everything else is ours.
local function as_mistake(problem)
  local text = type(problem) == "string" and problem:gsub("^beamlua/[0-9A-Za-z_/]+%.lua:%d+: ", "")
  return text and (text:match "^beam[0-9A-Za-z._]*: (.*)" or text:find "^beam%.[0-9A-Za-z]+ " and text or nil)
end

-- ---- Running ----

local function tls_of(options)
  local tls = {}
  for _, name in ipairs { "ca_file", "cert", "key", "key_passphrase", "insecure" } do
    tls[name] = options[name]
  end
  return next(tls) and tls
end

local function new_client(options)
  return function(further)
    local settings = { gateway = options.gateway, config = options.config, context = options.context }
    settings.tls = tls_of(options)
    settings.proxy = options.proxy
    for name, value in pairs(further or {}) do
      settings[name] = value
    end
    return require("beam.client").new(settings)
  end
end

local function log_to_stderr(verbose)
  local log = require "beam.log"
  local most = verbose and log.levels.info or log.levels.warning
  if verbose then
    require("beam.driver.reactor").log_level = "debug"
  end
  log.to(function(level, line)
    if level == "debug" and line:find "^[<>] " then
      io.stderr:write(visible.line(line), "\n") -- heads, as they go and come
    elseif log.levels[level] <= most then
      io.stderr:write("beamlua: ", level, ": ", line, "\n")
    end
  end)
end

local function execute(host, command, options, positionals)
  log_to_stderr(options.verbose)
  local group = command.title:match "^beamlua ([a-z]+)"
  local task = require("beamlua.command." .. group)
  local context = { host = host, name = command.name, title = command.title, options = options, positionals = positionals }
  context.client = new_client(options)
  return run.run(host, function()
    if options.metrics_port then
      require "beamlua.metrics"(options.metrics_port)
    end
    if command.no_client then
      return task(context) -- what a user's app.lua raises keeps its traceback
    end
    local ok, code, err = pcall(task, context)
    local mistake = not ok and as_mistake(code)
    if mistake then
      return complain(command, mistake)
    elseif not ok then
      error(code, 0)
    elseif not code then
      return failure.tell(context, command, err)
    end
    return code
  end, not command.stays and run.to_the_end_of or nil)
end

-- The command that the words mean, and how many of them were its name; or nil and what is wrong.
local function find(words)
  local command, used = commands.find(words[1]), 1
  while command and command.commands do
    local name = words[used + 1]
    if not name or name == "--help" or name == "-h" then
      return command, used, not name and "what about it?" or nil
    end
    local below = commands.find(name, command.commands)
    if not below then
      local meant = require("beam.base.suggest")(name, commands.names(command.commands))
      return command, used, ("there is no '%s'%s"):format(name, meant and ("; did you mean '%s'?"):format(meant) or "")
    end
    command, used = below, used + 1
  end
  return command, used
end

local function explain(words)
  if not words[1] then
    return print_help(help.overview())
  end
  local command, _, problem = find(words)
  if not command then
    local meant = require("beam.base.suggest")(words[1], commands.names())
    io.stderr:write(
      ("beamlua help: there is no command '%s'%s\n"):format(words[1], meant and ("; did you mean '%s'?"):format(meant) or ""),
      "usage: beamlua help [COMMAND]\n"
    )
    return exit_codes.usage
  elseif problem and words[2] then
    return complain(command, problem)
  end
  return print_help(help.of(command))
end

return function(host, words)
  terminal.setup(host)
  if words[1]:sub(1, 1) == "-" then
    return print_help(help.overview())
  elseif words[1] == "help" then
    return explain { table.unpack(words, 2) }
  end
  local command, used, problem = find(words)
  if problem then
    return complain(command, problem)
  elseif command.commands then
    return print_help(help.of(command))
  end
  local options, positionals = arguments_of.read(command, { table.unpack(words, used + 1) })
  if not options then
    return complain(command, positionals)
  elseif options.help then
    return print_help(help.of(command))
  end
  return execute(host, command, options, positionals)
end
