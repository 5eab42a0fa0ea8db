-- The input of a command: JSON as an argument, @file, or - for standard input; or fields, one an argument:
--
--   name=text    name=@file   the file's text    x:=12   JSON    x:=@file   the file's JSON    f@file   the file's bytes in base64
local base64 = require "beam.base64"
local errors = require "beam.error"
local json = require "beam.json"

local input = {}

local json_hint = "JSON has double quotes; for the shell, put single ones around it; or give fields: x:=12 name=text"

local function read_file(path)
  local file, problem = io.open(path, "rb")
  local text
  if file then
    text, problem = file:read "*a"
    file:close()
  end
  if not text then
    return nil, errors.new { kind = "invalid", message = "the input cannot be read: " .. tostring(problem) }
  end
  return text
end

local function decode(text, what)
  local value, problem = json.decode(text)
  if value == nil then
    return nil, errors.new { kind = "json", message = ("%s is no JSON: %s"):format(what, tostring(problem)), hint = json_hint }
  end
  return value
end

-- ---- As one argument ----

--- The text of an argument.
---@param argument string
---@return string? text, beam.error? err
function input.text(argument)
  if argument == "-" then
    return io.read "*a" or ""
  elseif argument:sub(1, 1) == "@" then
    return read_file(argument:sub(2))
  end
  return argument
end

--- The value of an argument.
---@param argument string?
---@return any value nil without an argument, and on failure
---@return beam.error? err
function input.value(argument)
  if not argument then
    return nil
  end
  local text, err = input.text(argument)
  if not text then
    return nil, err
  end
  return decode(text, "the input")
end

-- ---- As fields ----

local separators = { ":=@", ":=", "=@", "=", "@" }

-- Of the first character that ends a name the longest separator holds.
local function split(argument)
  local name, rest = argument:match "^([^=:@{}%[%]\"\t\n ][^=:@]*)(.*)$"
  for _, separator in ipairs(name and separators or {}) do
    if rest:sub(1, #separator) == separator then
      return name, separator, rest:sub(#separator + 1)
    end
  end
end

local readers = {
  ["="] = function(value)
    return value
  end,
  ["=@"] = read_file,
  [":="] = function(value, name)
    return decode(value, "the field '" .. name .. "'")
  end,
  [":=@"] = function(path, name)
    local text, err = read_file(path)
    if not text then
      return nil, err
    end
    return decode(text, ("the file %s of the field '%s'"):format(path, name))
  end,
  ["@"] = function(path)
    local text, err = read_file(path)
    return text and base64.encode(text), err
  end,
}

local function object_of(arguments)
  local object = {}
  for _, argument in ipairs(arguments) do
    local name, separator, value = split(argument)
    if not name then
      error(("beamlua: '%s' is no field: name=text, x:=JSON, name=@FILE, x:=@FILE, f@FILE"):format(argument), 0)
    end
    local read, err = readers[separator](value, name)
    if err then
      return nil, err
    end
    object[name] = read
  end
  return object
end

--- The value of the arguments from the second on: one that is JSON, @file or -, or fields. Raises for what is neither.
---@param positionals string[]
---@return any value nil without arguments, and on failure
---@return beam.error? err
function input.of(positionals)
  local first = positionals[2]
  if first and split(first) then
    return object_of { table.unpack(positionals, 2) }
  elseif positionals[3] then
    error(("beamlua: unexpected argument '%s'"):format(positionals[3]), 0)
  end
  return input.value(first)
end

return input
