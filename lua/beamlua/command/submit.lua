-- beamlua submit NAME [JSON|@FILE|-]
local input_of = require "beamlua.cli.input"
local output = require "beamlua.cli.output"
local retry = require "beam.retry"
local task_results = require "beamlua.cli.task_results"

local function gather(context, input)
  local options = context.options
  local attempts = options.retry
  return {
    context.positionals[1],
    input = input,
    headers = options.headers,
    kind = options.kind,
    version = options.version,
    retry = attempts and (attempts > 0 and retry.backoff { base = 0.5, max = 30, attempts = attempts } or false),
    timeout = not options.wait and options.timeout or nil,
  }
end

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local input, problem = input_of.of(context.positionals)
  if problem then
    return nil, problem
  end
  local task, failure = client.submit(gather(context, input))
  if not task then
    return nil, failure
  elseif not context.options.wait then
    output.told(task.id)
    return 0
  end
  task_results.say(context, "task " .. task.id)
  return task_results.print(context, task, context.options.timeout)
end
