-- beamlua context list|use|show: the sections of Beam's config.ini. No token is shown.
local contexts = require "beam.settings.contexts"
local errors = require "beam.error"
local output = require "beamlua.cli.output"

local actions = {}

local function has_token(found, name)
  return contexts.get(found, name, "token") ~= nil
end

local function describe(found, name)
  return {
    name = name,
    current = name == found.current,
    token = has_token(found, name),
    gateway_host = contexts.get(found, name, "gateway_host"),
  }
end

function actions.list(context, found)
  local rows = {}
  for _, name in ipairs(found.names) do
    local shown = describe(found, name)
    if context.options.json then
      local ok, problem = output.json(shown)
      if not ok then
        return nil, problem
      end
    else
      rows[#rows + 1] = { name, shown.current and "current" or "-", shown.token and "token" or "no token", shown.gateway_host or "-" }
    end
  end
  if not context.options.json then
    output.rows({ "NAME", "CURRENT", "TOKEN", "HOST" }, rows)
  end
  return 0
end

-- The first of these variables that is set, and not empty.
local function set_one(names)
  for _, name in ipairs(names) do
    local value = os.getenv(name)
    if value and value ~= "" then
      return name
    end
  end
end

-- What goes before any context is told: who chose one wonders otherwise.
local function overriding()
  return set_one { "BEAM_TOKEN", "BETA9_TOKEN", "BEAM_CLIENT_ID" }
end

function actions.use(context, found)
  local ok, err = contexts.use(found, context.positionals[1])
  if not ok then
    return nil, err
  end
  output.line(context.positionals[1])
  local name = overriding() or set_one { "BEAM_CONFIG_CONTEXT" }
  if name then
    output.say(context, "%s is set, and goes before it", name)
  end
  return 0
end

function actions.show(context, found)
  local name = context.positionals[1] or found.current
  if not found.sections[name] then
    local message = ("%s has no context '%s'"):format(found.path, name)
    return nil, errors.new { kind = "config", message = message, hint = "it has: " .. table.concat(found.names, ", ") }
  end
  local shown = describe(found, name)
  shown.file, shown.from = found.path, name == found.current and found.from or nil
  shown.overridden_by = overriding()
  if context.options.json then
    local ok, problem = output.json(shown)
    return ok and 0, problem
  end
  output.rows({ "WHAT", "VALUE" }, {
    { "name", name },
    { "file", found.path },
    { "current", shown.current and found.from or "no" },
    { "token", shown.token and "set, not shown" or "none" },
    { "gateway_host", shown.gateway_host or "-" },
    { "overridden by", shown.overridden_by or "-" },
  })
  return 0
end

return function(context)
  local found, err = contexts.read(contexts.system, { config = context.options.config })
  if not found then
    return nil, err or errors.new {
      kind = "config",
      message = "there is no config.ini of Beam's tools",
      hint = "log in with Beam's command line tool",
    }
  end
  return actions[context.name](context, found)
end
