-- What a run of beamlua load is to do: from the command line, and from a script's table, which the command line goes before.
local errors = require "beam.error"
local input_of = require "beamlua.cli.input"
local script_of = require("beamlua.load.script").read

local plan = {}

local usual = { concurrency = 16, duration = 10, timeout = 60 }
local most_in_flight = 256 -- of an open model; what a libbeam does at a time

local settings = { "rate", "concurrency", "duration", "count", "timeout", "expected_rate", "warmup", "realtime" }
local of_request = { "headers", "method", "path", "kind", "version", "raw" }

local function check(made)
  if made.expected_rate and made.rate then
    error("beamlua: --expected-rate is for calls without --rate: planned times need no correction", 0)
  elseif made.expected_rate and made.realtime then
    error("beamlua: --expected-rate is not for --realtime", 0)
  end
end

local function numbers_of(options, script)
  local made = {}
  for _, name in ipairs(settings) do
    made[name] = options[name]
    if made[name] == nil then
      made[name] = script[name]
    end
  end
  if not (made.duration or made.count) then
    made.duration = usual.duration
  end
  made.concurrency = made.concurrency or made.rate and not made.realtime and most_in_flight or usual.concurrency
  made.timeout = made.timeout or usual.timeout
  check(made)
  return made
end

local function given_of(made, options, script, input)
  local given = { made.name, input = input }
  for _, name in ipairs(of_request) do
    given[name] = options[name]
    if given[name] == nil then
      given[name] = script[name]
    end
  end
  return given
end

local function read_input(context, script, made)
  local words = context.positionals
  if not words[2] then
    return script.input
  elseif context.options.raw and not words[3] or made.realtime then
    return input_of.text(words[2])
  end
  return input_of.of(words)
end

--- What is to be done.
---@param context table of beamlua/cli/command.lua
---@return table? plan, beam.error? err
function plan.of(context)
  local options, name = context.options, context.positionals[1]
  local script = {}
  if name:find "%.lua$" then
    local read, err = script_of(name)
    if not read then
      return nil, err
    end
    script, name = read, read.target
  end
  if not name then
    return nil, errors.new { kind = "invalid", message = context.positionals[1] .. " has no field 'target': what is to be called?" }
  end
  local made = numbers_of(options, script)
  made.name, made.hooks, made.beamlua = name, script, context.host.version
  local input, problem = read_input(context, script, made)
  if problem then
    return nil, problem
  end
  made.given = given_of(made, options, script, input)
  local client, refused = context.client()
  made.client = client
  return client and made, refused
end

return plan
