-- The sections of the file of Beam's own tools, config.ini: each a context with a token. Which one holds is said by argument, else by the
-- environment, else by `beamlua context use`, which keeps its name in a file beside; else it is [default].
local errors = require "beam.error"
local ini = require "beam.settings.ini"
local write_file = require "beam.base.write_file"

local contexts = {}

contexts.system = { getenv = os.getenv }

-- Of the user, where the environment does not tell it.
function contexts.system.home()
  return require("beam.core").home()
end

function contexts.system.read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read "*a"
  file:close()
  return text
end

local function fail(message, hint)
  return nil, errors.new { kind = "config", message = message, hint = hint }
end

-- The first file there is; one that was asked for has to be there.
local function read_file(sys, asked)
  local home = sys.getenv "HOME" or sys.getenv "USERPROFILE"
  if asked then
    local path = home and asked:gsub("^~/", (home:gsub("%%", "%%%%")) .. "/") or asked
    return path, sys.read(path)
  end
  for _, folder in ipairs(home and { ".beam", ".beta9" } or {}) do
    local path = ("%s/%s/config.ini"):format(home, folder)
    local text = sys.read(path)
    if text then
      return path, text
    end
  end
end

local function names_of(sections)
  local names = {}
  for name in pairs(sections) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- Where the name of the chosen context stands.
local function choice_path(path)
  return path:gsub("[^/]*$", "") .. "beam-lua-context"
end

local function chosen(sys, path)
  local text = sys.read(choice_path(path))
  return text and text:match "^([^\r\n]+)"
end

---@class beam.contexts
---@field path string of the file
---@field names string[]
---@field current string
---@field from string what says that this one is current
---@field sections table<string, table<string, string>>

--- What there is. nil alone: there is no file.
---@param sys { getenv: fun(name: string): string?, read: fun(path: string): string? }
---@param options { config: string?, context: string? }
---@return beam.contexts?, beam.error?
function contexts.read(sys, options)
  local asked = options.config or sys.getenv "BEAM_CONFIG_PATH"
  asked = asked ~= "" and asked or nil
  local path, text = read_file(sys, asked)
  if not text then
    if asked then
      return fail("the config file " .. asked .. " cannot be read", "check BEAM_CONFIG_PATH or the option config")
    end
    return nil
  end
  local sections, problem = ini.parse(text)
  if not sections then
    return fail(("%s: %s"):format(path, problem), "mend the file, or log in again with Beam's command line tool")
  end
  local found = { path = path, sections = sections, names = names_of(sections) }
  for _, place in ipairs {
    { options.context, "argument" },
    { sys.getenv "BEAM_CONFIG_CONTEXT", "environment BEAM_CONFIG_CONTEXT" },
    { chosen(sys, path), "file " .. choice_path(path) },
    { "default", "default" },
  } do
    if place[1] and place[1] ~= "" then
      found.current, found.from = place[1], place[2]
      return found
    end
  end
end

--- A value of a context, or what it inherits from [default].
---@return string?
function contexts.get(found, name, key)
  return ini.get(found.sections, name, key)
end

--- The token of the context that holds; false: there is none.
---@return string|false|nil token, string|beam.error|nil where "PATH [context]", or what is wrong
function contexts.token(sys, options)
  local found, err = contexts.read(sys, options)
  if err then
    return nil, err
  elseif not found then
    return false
  elseif not found.sections[found.current] and found.from ~= "default" then
    return fail(("%s has no context '%s'"):format(found.path, found.current), "it has: " .. table.concat(found.names, ", "))
  end
  return contexts.get(found, found.current, "token") or false, ("%s [%s]"):format(found.path, found.current)
end

--- Chooses a context for all programs of this module, where nothing else says which.
---@param found beam.contexts
---@param name string
---@return true?, beam.error?
function contexts.use(found, name)
  if not found.sections[name] then
    return fail(("%s has no context '%s'"):format(found.path, name), "it has: " .. table.concat(found.names, ", "))
  end
  local path = choice_path(found.path)
  local ok, problem = write_file(path, name .. "\n")
  if not ok then
    return fail(path .. " cannot be written: " .. problem)
  end
  return true
end

return contexts
