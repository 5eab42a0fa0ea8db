-- The completions for bash, zsh and fish, from beamlua/cli/commands.lua: `beamlua completion SHELL` prints them, `make install` puts them
-- in place.
local commands = require "beamlua.cli.commands"

local completions = {}

-- The commands one after the other, with the words before each: "call", "task", "task get".
local function each(visit, list, before)
  for _, command in ipairs(list or commands.list) do
    local words = before and before .. " " .. command.name or command.name
    visit(words, command)
    if command.commands then
      each(visit, command.commands, words)
    end
  end
end

local function names(list)
  local found = {}
  for _, command in ipairs(list) do
    found[#found + 1] = command.name
  end
  return table.concat(found, " ")
end

local function option_names(command)
  local found = {}
  for _, option in ipairs(command.options) do
    found[#found + 1] = option[1]
    found[#found + 1] = option.short
  end
  return table.concat(found, " ")
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What kind of names the first argument is of: those are asked for when they are wanted.
local function names_behind(row)
  return row.names or row.asks and "deployments"
end

-- What may stand behind the command besides options.
local function words_behind(command)
  if command.commands then
    return names(command.commands)
  elseif command.name == "help" then
    return names(commands.list)
  elseif command.name == "completion" then
    return "bash zsh fish deployments tasks contexts"
  end
  return ""
end

-- ---- bash ----

local bash = [[
# Completions of beamlua for bash. Made by `beamlua completion bash`.
_beamlua() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words= at= asked=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "%s -e -l -i -v -E -W" -- "$current") $(compgen -f -X '!*.lua' -- "$current") $(compgen -d -- "$current"))
    return
  fi
  case $previous in
%s
  esac
  case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
%s
    *) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" = "$at" ] && [ "${current#-}" = "$current" ]; then
    COMPREPLY=($(compgen -W "$(beamlua completion "$asked" 2>/dev/null)" -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _beamlua beamlua
]]

-- Options by what their value is: a word of a list, or a file.
local function values()
  local rows, seen = {}, {}
  each(function(_, command)
    for _, option in ipairs(command.options or {}) do
      if not seen[option[1]] and (option.values or option.file or option.names) then
        seen[option[1]] = true
        rows[#rows + 1] = option
      end
    end
  end)
  return rows
end

function completions.bash()
  local by_option, by_command = {}, {}
  for _, option in ipairs(values()) do
    local generate = option.file and "-f"
      or option.names and ('-W "$(beamlua completion %s 2>/dev/null)"'):format(option.names)
      or "-W " .. quote(table.concat(option.values, " "))
    by_option[#by_option + 1] = ('    %s) COMPREPLY=($(compgen %s -- "$current")); return ;;'):format(option[1], generate)
  end
  each(function(words, command)
    local pattern = words:find " " and ('"%s"'):format(words) or ('"%s "*'):format(words)
    local known = words_behind(command) .. " " .. (command.options and option_names(command) or "--help")
    local asked = names_behind(command)
    local more = asked and (' at=%d asked=%s'):format(select(2, words:gsub("%S+", "")) + 1, asked) or ""
    local row = ("    %s) words=%s%s ;;"):format(pattern, quote(known), more)
    table.insert(by_command, words:find " " and 1 or #by_command + 1, row) -- "task get" before "task"
  end)
  return bash:format(names(commands.list), table.concat(by_option, "\n"), table.concat(by_command, "\n"))
end

-- ---- zsh ----

local zsh = [[
#compdef beamlua
# Completions of beamlua for zsh. Made by `beamlua completion zsh`.
_beamlua() {
  local -a commands
  commands=(
%s
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _files -g '*.lua'
    return
  fi
  local words_before="$words[2] $words[3]"
  case "$words_before" in
%s
    *) _files ;;
  esac
}
compdef _beamlua beamlua
]]

local function zsh_text(text)
  return text:gsub("[%[%]:]", "\\%0")
end

-- '--timeout=[seconds]:S:'
local function zsh_option(option)
  local says = zsh_text(option[3])
  local action = option.names and ("($(beamlua completion %s 2>/dev/null))"):format(option.names)
    or option.values and "(" .. table.concat(option.values, " ") .. ")" or option.file and "_files" or ""
  local value = option[2] and (":%s:%s"):format(zsh_text(option[2]), action) or ""
  return quote(("%s%s[%s]%s"):format(option[1], option[2] and "=" or "", says, value))
end

function completions.zsh()
  local described, cases = {}, {}
  for _, command in ipairs(commands.list) do
    described[#described + 1] = "    " .. quote(command.name .. ":" .. zsh_text(command.says))
  end
  each(function(words, command)
    local specs = {}
    for _, option in ipairs(command.options or {}) do
      specs[#specs + 1] = zsh_option(option)
    end
    local behind, asked = words_behind(command), names_behind(command)
    if asked then
      specs[#specs + 1] = ('"%d:name:($(beamlua completion %s 2>/dev/null))"'):format(select(2, words:gsub("%S+", "")) + 1, asked)
    end
    specs[#specs + 1] = behind ~= "" and quote("*:word:(" .. behind .. ")") or quote "*:file:_files"
    local pattern = words:find " " and ('"%s"'):format(words) or ('"%s "*'):format(words)
    table.insert(cases, words:find " " and 1 or #cases + 1, ("    %s) _arguments %s ;;"):format(pattern, table.concat(specs, " ")))
  end)
  return zsh:format(table.concat(described, "\n"), table.concat(cases, "\n"))
end

-- ---- fish ----

local function fish_option(condition, option)
  local line = ("complete -c beamlua -n %s -l %s"):format(quote(condition), option[1]:sub(3))
  if option.short then
    line = line .. " -s " .. option.short:sub(2)
  end
  if option[2] then
    line = line .. " -r"
  end
  if option.values then
    line = line .. " -f -a " .. quote(table.concat(option.values, " "))
  elseif option.names then
    line = ("%s -f -a '(beamlua completion %s 2>/dev/null)'"):format(line, option.names)
  elseif option.file then
    line = line .. " -F"
  end
  return line .. " -d " .. quote(option[3])
end

function completions.fish()
  local lines = { "# Completions of beamlua for fish. Made by `beamlua completion fish`." }
  for _, command in ipairs(commands.list) do
    lines[#lines + 1] = ("complete -c beamlua -n __fish_use_subcommand -a %s -d %s"):format(command.name, quote(command.says))
  end
  each(function(words, command)
    local condition = "__fish_seen_subcommand_from " .. words:gsub(" ", "; and __fish_seen_subcommand_from ")
    for _, option in ipairs(command.options or {}) do
      lines[#lines + 1] = fish_option(condition, option)
    end
    local behind = words_behind(command)
    local asked = names_behind(command)
    if asked then
      local ask = ("'(beamlua completion %s 2>/dev/null)'"):format(asked)
      lines[#lines + 1] = ("complete -c beamlua -f -n %s -a %s"):format(quote(condition), ask)
    end
    if behind ~= "" then
      lines[#lines + 1] = ("complete -c beamlua -f -n %s -a %s"):format(quote(condition), quote(behind))
    end
  end)
  return table.concat(lines, "\n") .. "\n"
end

return completions
