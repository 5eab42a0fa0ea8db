-- Reads the arguments of a command by its row in beamlua/cli/commands.lua: --name value, --name=value, -s; -- ends the options.
local suggest = require "beam.base.suggest"

local arguments = {}

local function options_by_name(command)
  local names = {}
  for _, option in ipairs(command.options) do
    names[option[1]] = option
    if option.short then
      names[option.short] = option
    end
  end
  return names
end

local function unknown(command, name, names)
  if command.refused[name] then
    return command.refused[name]
  end
  local meant = suggest(name, names)
  return ("unknown option '%s'%s"):format(name, meant and ("; did you mean %s?"):format(meant) or "")
end

-- The name of an option for its command.
function arguments.key(option)
  return option.as or option[1]:gsub("^%-+", "")
end

-- Puts the value of an option into `given`. Returns how many of the words after it were used, or nil and what is wrong.
local function take(option, written, value, following, given)
  local key, used = arguments.key(option), 0
  if not option[2] then
    if value then
      return nil, written .. " takes no value"
    end
    given[key] = true
    return 0
  elseif not value then
    value, used = following, 1
  end
  if not value or value == "" then
    return nil, written .. " wants a value"
  end
  local read, problem = value, nil
  if option.read then
    read, problem = option.read(value, given[key])
  end
  if read == nil then
    return nil, option.says_all and problem or ("%s %s, not '%s'"):format(written, problem, value)
  end
  given[key] = read
  return used
end

local function check_positionals(command, positionals)
  local least, most = table.unpack(command.positionals)
  if #positionals < least then
    local names = {}
    for name in command.takes:gmatch "%S+" do
      names[#names + 1] = name
    end
    return names[#positionals + 1] .. " is missing"
  elseif #positionals > most then
    return ("unexpected argument '%s'"):format(positionals[most + 1])
  end
end

---@param command table a row of beamlua/cli/commands.lua
---@param list string[] what stands behind the command's name
---@return table? given the options, by name
---@return string[]|string positionals what is no option; or what is wrong
function arguments.read(command, list)
  local names, given, positionals, i = options_by_name(command), {}, {}, 1
  while list[i] do
    local word = list[i]
    if word == "--" then
      table.move(list, i + 1, #list, #positionals + 1, positionals)
      break
    elseif word == "-" or word:sub(1, 1) ~= "-" then
      positionals[#positionals + 1] = word
    else
      local name, value = word:match "^(%-%-[^=]+)=(.*)$"
      name = name or word
      local option = names[name]
      local used, problem
      if option then
        used, problem = take(option, name, value, list[i + 1], given)
      else
        problem = unknown(command, name, names)
      end
      if problem then
        return nil, problem
      end
      i = i + used
    end
    i = i + 1
  end
  local problem = not given.help and check_positionals(command, positionals)
  if problem then
    return nil, problem
  end
  return given, positionals
end

return arguments
