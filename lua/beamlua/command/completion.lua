-- beamlua completion bash|zsh|fish, and what these ask for while somebody types: beamlua completion deployments|tasks|contexts
local completions = require "beamlua.cli.completions"
local contexts = require "beam.settings.contexts"
local exit_codes = require "beamlua.cli.exit_codes"
local output = require "beamlua.cli.output"

local patience = 3 -- seconds that somebody who pressed Tab waits
local most = 200 -- names

-- What a shell takes for one word, and a terminal does not obey.
local function is_plain(name)
  return type(name) == "string" and name:find "^[0-9A-Za-z._/-]+$" ~= nil
end

-- Each once, as they come; a failure ends the list without a word.
local function print_names(list, name_of)
  local seen = {}
  local item = list:next()
  while item do
    local name = name_of(item)
    if is_plain(name) and not seen[name] then
      seen[name] = true
      output.line(name)
    end
    item = list:next()
  end
  return 0
end

local names = {}

function names.deployments(client)
  return print_names(client.deployments { active = true, limit = most, timeout = patience }, function(deployment)
    return deployment.name
  end)
end

function names.tasks(client)
  return print_names(client.tasks { limit = most, timeout = patience }, function(task)
    return task.id
  end)
end

local function print_contexts(context)
  local found = contexts.read(contexts.system, { config = context.options.config })
  for _, name in ipairs(found and found.names or {}) do
    if is_plain(name) then
      output.line(name)
    end
  end
  return 0
end

return function(context)
  local wanted = context.positionals[1]
  if completions[wanted] then
    output.write(completions[wanted]())
    return 0
  elseif wanted == "contexts" then
    return print_contexts(context)
  elseif not names[wanted] then
    io.stderr:write(("beamlua completion: there are completions for bash, zsh and fish, not for '%s'\n"):format(wanted))
    return exit_codes.usage
  end
  local client, err = context.client()
  if not client then
    return nil, err
  end
  return names[wanted](client)
end
