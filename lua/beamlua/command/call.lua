-- beamlua call NAME [JSON|@FILE|-]
local errors = require "beam.error"
local input_of = require "beamlua.cli.input"
local json = require "beam.json"
local output = require "beamlua.cli.output"
local visible = require "beam.base.visible"

local function retry_policy(count)
  if not count then
    return nil
  elseif count == 0 then
    return false
  end
  return require("beam.retry").backoff { base = 0.5, max = 30, attempts = count }
end

local function read_input(context)
  local argument = context.positionals[2]
  if context.options.raw and argument then
    return input_of.text(argument)
  end
  return input_of.value(argument)
end

local function gather(context, input)
  local options = context.options
  return {
    context.positionals[1],
    input = input,
    timeout = options.timeout,
    raw = options.raw,
    headers = options.headers,
    method = options.method,
    path = options.path,
    kind = options.kind,
    version = options.version,
    retry = retry_policy(options.retry),
    idempotent = options.idempotent,
  }
end

-- Each item on a line, as it comes.
local function print_items(context, client, options)
  local stream, err = client.stream(options)
  if not stream then
    return nil, err
  end
  local item, problem = stream:next()
  while item ~= nil do
    local text = context.options.raw and item or json.encode(item)
    output.told(text)
    item, problem = stream:next()
  end
  if problem then
    return nil, problem
  end
  return 0
end

local function tell(context, info)
  if context.options.verbose then
    local task = info.task_id and ", task " .. info.task_id or ""
    output.say(context, "status %s, %d attempts, %.3f s%s", tostring(info.status), info.attempts or 0, info.elapsed or 0, task)
  end
end

local function call(context, client, options)
  local result, info = client.call(options)
  tell(context, info)
  if result == nil then
    local body = context.options.verbose and errors.text_of(info.body) or ""
    if body ~= "" then
      io.stderr:write(visible.lines(body), "\n")
    end
    return nil, info
  elseif context.options.raw then
    output.write(info.raw or "")
  elseif not info.raw or info.raw:find "^%s*$" then
    output.line "null"
  else
    output.json_text(info.raw)
  end
  return 0
end

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local input, problem = read_input(context)
  if problem then
    return nil, problem
  end
  local run = context.options.stream and print_items or call
  return run(context, client, gather(context, input))
end
