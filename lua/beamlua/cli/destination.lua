-- Where the answer of a call goes: standard output, a file (--output), or nowhere (--quiet); with --include its head comes first.
local errors = require "beam.error"
local output = require "beamlua.cli.output"
local meanings = require "beamlua.cli.meanings"

local Destination = {}
Destination.__index = Destination

local destination = {}

---@param options table of the command: output, quiet, include
function destination.new(options)
  return setmetatable({ path = options.output, quiet = options.quiet and not options.output, include = options.include }, Destination)
end

-- The file is made with the first byte: a call that fails leaves what is there as it was.
local function open(self)
  local problem
  self.file, problem = io.open(self.path, "wb")
  return self.file ~= nil, problem
end

local function failed(self, problem)
  return nil, errors.new { kind = "invalid", message = ("%s cannot be written: %s"):format(self.path, problem), executed = "yes" }
end

--- Writes bytes as they are.
---@param bytes string
---@return true?, beam.error? err
function Destination:write(bytes)
  if self.quiet then
    return true
  elseif not self.path then
    output.write(bytes)
    return true
  end
  local ok, problem = self.file ~= nil, nil
  if not ok then
    ok, problem = open(self)
  end
  if ok then
    ok, problem = self.file:write(bytes)
  end
  if not ok then
    return failed(self, problem)
  end
  return true
end

--- Writes JSON text: for a person indented.
---@param text string
function Destination:json(text)
  if self.path then
    return self:write(text .. "\n")
  elseif not self.quiet then
    output.json_text(text)
  end
  return true
end

--- The head of an answer, if it is wanted.
---@param status integer
---@param headers table<string, string>
function Destination:head(status, headers)
  if not self.include then
    return true
  end
  local name = meanings.statuses[status] or status == 200 and "OK"
  local lines, names = { ("HTTP %d%s"):format(status, name and " " .. name or "") }, {}
  for header in pairs(headers or {}) do
    names[#names + 1] = header
  end
  table.sort(names)
  for _, header in ipairs(names) do
    lines[#lines + 1] = header .. ": " .. headers[header]
  end
  return self:write(table.concat(lines, "\n") .. "\n\n")
end

--- What has been written is in the file; of an empty answer there is an empty one.
---@return true?, beam.error? err
function Destination:close()
  if not self.path then
    return true
  end
  local ok, problem = self.file ~= nil, nil
  if not ok then
    ok, problem = open(self)
  end
  if ok then
    ok, problem = self.file:close()
  end
  if not ok then
    return failed(self, problem)
  end
  return true
end

return destination
