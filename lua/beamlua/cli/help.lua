-- The help, from beamlua/cli/commands.lua.
local commands = require "beamlua.cli.commands"

local help = {}

--- "usage: beamlua call NAME [JSON|@FILE|-] [options]"
function help.usage(command)
  if command.commands then
    local names = {}
    for _, below in ipairs(command.commands) do
      names[#names + 1] = below.name
    end
    return ("usage: %s %s …"):format(command.title, table.concat(names, "|"))
  end
  local takes = command.takes ~= "" and " " .. command.takes or ""
  return ("usage: %s%s%s"):format(command.title, takes, #command.options > 1 and " [options]" or "")
end

-- Two columns, the right one at the same place in all rows.
local function columns(rows)
  local widest, lines = 0, {}
  for _, row in ipairs(rows) do
    widest = math.max(widest, utf8.len(row[1]))
  end
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("  %s%s  %s"):format(row[1], (" "):rep(widest - utf8.len(row[1])), row[2])
  end
  return table.concat(lines, "\n")
end

--- "--timeout S", "-v, --verbose"
function help.written(option)
  return (option.short and option.short .. ", " or "") .. option[1] .. (option[2] and " " .. option[2] or "")
end

local function of_group(command)
  local rows = {}
  for _, below in ipairs(command.commands) do
    rows[#rows + 1] = { below.name .. (below.takes ~= "" and " " .. below.takes or ""), below.says }
  end
  local more = ("'%s NAME --help' lists the options of one."):format(command.title)
  return ("%s\n%s\n%s\n%s\n"):format(help.usage(command), command.says, columns(rows), more)
end

--- What --help prints.
---@param command table
---@return string
function help.of(command)
  if command.commands then
    return of_group(command)
  end
  local rows = {}
  for _, option in ipairs(command.options) do
    rows[#rows + 1] = { help.written(option), option[3] }
  end
  local details = command.details and "\n" .. command.details or ""
  local more = command.more and require(command.more).text or ""
  return ("%s\n%s%s\n%s\n%s"):format(help.usage(command), command.says, details, columns(rows), more)
end

--- What `beamlua help` prints.
---@return string
function help.overview()
  local rows = {
    { "[options] [script.lua [args]]", "Runs a script; without one, a prompt. -e CHUNK, -l NAME, -i, -v, -E, -W, - and -- as in lua." },
  }
  for _, command in ipairs(commands.list) do
    rows[#rows + 1] = { command.name, command.says }
  end
  return ("usage: beamlua [options] [script.lua [args]]\n       beamlua COMMAND [arguments]\n%s\n%s"):format(
    columns(rows),
    "'beamlua help COMMAND' explains one; docs/beamlua.md and beamlua(1) explain all, with the exit codes.\n"
  )
end

return help
