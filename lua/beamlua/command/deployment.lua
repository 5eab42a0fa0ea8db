-- beamlua deployment start|stop|delete|scale NAME
local confirm = require "beamlua.cli.confirm"
local errors = require "beam.error"
local output = require "beamlua.cli.output"
local readers = require "beamlua.readers"

local actions = {}

function actions.start(deployment, context)
  return deployment:start { timeout = context.options.timeout }
end

function actions.stop(deployment, context)
  local sure, err = confirm(context, "stop " .. deployment.described .. ", whose containers end with what runs in them")
  if not sure then
    return nil, err
  end
  return deployment:stop { timeout = context.options.timeout }
end

function actions.delete(deployment, context)
  local sure, err = confirm(context, "delete " .. deployment.described .. " for good")
  if not sure then
    return nil, err
  end
  return deployment:delete { timeout = context.options.timeout }
end

function actions.scale(deployment, context)
  local count = readers.natural(context.positionals[2])
  if not count then
    local message = ("the number of containers is a whole number, not '%s'"):format(context.positionals[2])
    return nil, errors.new { kind = "invalid", message = message }
  end
  return deployment:scale(count, { timeout = context.options.timeout })
end

local said = { start = "started", stop = "stopped", delete = "deleted", scale = "scaled" }

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local options = context.options
  local target = { context.positionals[1], version = options.version, kind = options.kind }
  local deployment = client.deployment(target)
  local found
  found, err = deployment:fetch { timeout = options.timeout } -- so that the question names what it is about
  if not found then
    return nil, err
  end
  local done
  done, err = actions[context.name](deployment, context)
  if not done then
    return nil, err
  end
  output.line(deployment.described .. " " .. said[context.name])
  return 0
end
