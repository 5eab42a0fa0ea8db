-- The input of a command: JSON as an argument, @file, or - for standard input.
local errors = require "beam.error"
local json = require "beam.json"

local input = {}

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
  local value, problem = json.decode(text)
  if value == nil then
    local hint = "JSON has double quotes; for the shell, put single ones around it"
    return nil, errors.new { kind = "json", message = "the input is no JSON: " .. tostring(problem), hint = hint }
  end
  return value
end

return input
