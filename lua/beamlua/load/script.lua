-- A script of beamlua load: a file that returns a table. Its functions are the hooks, the rest is as on the command line.
local errors = require "beam.error"
local suggest = require "beam.base.suggest"

local script = {}

local hooks = { setup = true, request = true, response = true, done = true }

-- What each field may be.
local fields = {
  target = "string",
  input = "table",
  rate = "number",
  concurrency = "number",
  duration = "number",
  count = "number",
  timeout = "number",
  expected_rate = "number",
  warmup = "boolean",
  realtime = "boolean",
  headers = "table",
  method = "string",
  path = "string",
  kind = "string",
  version = "number",
  raw = "boolean",
}

local whole = { concurrency = true, count = true, version = true }

--- A failure that the hook response tells of.
---@param why any
---@return beam.error
function script.failed_check(why)
  local message = why == nil and "the hook response says that it is not as it should be" or tostring(why)
  return errors.new { kind = "check", message = message, executed = "yes" }
end

local function fail(path, text)
  return nil, errors.new { kind = "script", message = ("%s: %s"):format(path, text) }
end

local function is_fine(name, value)
  local wanted = hooks[name] and "function" or fields[name]
  if name == "input" then
    return type(value) == "table" or type(value) == "string"
  elseif wanted == "number" then
    return type(value) == "number" and value > 0 and value < math.huge and (not whole[name] or value >= 1 and value % 1 == 0)
  end
  return type(value) == wanted
end

local function find_fault(made)
  for name, value in pairs(made) do
    if not (hooks[name] or fields[name]) then
      local known = {}
      for _, names in ipairs { hooks, fields } do
        for one in pairs(names) do
          known[one] = true
        end
      end
      local meant = suggest(tostring(name), known)
      return ("there is no hook and no field '%s'%s"):format(tostring(name), meant and ("; did you mean '%s'?"):format(meant) or "")
    elseif not is_fine(name, value) then
      return ("'%s' cannot be %s"):format(name, type(value) == "number" and tostring(value) or "a " .. type(value))
    end
  end
end

local function result(name, ok, ...)
  if ok then
    return ...
  end
  local cause = (...)
  if errors.is(cause) then
    cause.message = ("the hook %s of beamlua load: %s"):format(name, cause.message)
    error(cause, 0)
  end
  error(errors.new { kind = "script", message = ("the hook %s of beamlua load: %s"):format(name, tostring(cause)), cause = cause }, 0)
end

-- What it raises names it.
local function named(name, hook)
  return function(...)
    return result(name, pcall(hook, ...))
  end
end

--- Reads it: what does not load stops the run.
---@param path string
---@return table? script, beam.error? err
function script.read(path)
  local chunk, problem = loadfile(path)
  if not chunk then
    return nil, errors.new { kind = "script", message = tostring(problem) }
  end
  local ok, made = pcall(chunk)
  if not ok then
    return nil, errors.is(made) and made or errors.new { kind = "script", message = tostring(made) }
  elseif type(made) ~= "table" then
    return fail(path, "it returns no table of hooks")
  end
  local fault = find_fault(made)
  if fault then
    return fail(path, fault)
  end
  local named_ones = {}
  for name, value in pairs(made) do
    named_ones[name] = hooks[name] and named(name, value) or value
  end
  return named_ones
end

return script
