-- beamlua realtime in pipes, and with --raw or --json: messages as lines on standard output; phases on stderr for a person.
local base64 = require "beam.base64"
local json = require "beam.json"
local output = require "beamlua.cli.output"
local terminal = require "beamlua.cli.terminal"

local Plain = {}
Plain.__index = Plain

local plain = {}

---@param context table of beamlua/cli/command.lua
function plain.new(context)
  return setmetatable({ context = context, told = context.options.verbose or terminal.is(2), json = context.options.json }, Plain)
end

--- A message as one line of JSON: text that is no JSON as a string, bytes, and what is no UTF-8, as {"base64": …}.
function plain.as_json(data, kind)
  local text = kind ~= "binary" and json.encode(data)
  if not text then
    return json.encode { base64 = base64.encode(data) }
  end
  return json.decode(data) ~= nil and output.compact(data) or text
end

function Plain:message(data, kind)
  output.told(self.json and plain.as_json(data, kind) or data)
end

function Plain:phase(phase, seconds)
  if self.told then
    output.say(self.context, "%s (%.2f s)", phase, seconds)
  end
end

local function nothing() end

Plain.sent, Plain.lost, Plain.command, Plain.finish = nothing, nothing, nothing, nothing

return plain
