-- beamlua container stop ID
local confirm = require "beamlua.cli.confirm"
local output = require "beamlua.cli.output"

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local id = context.positionals[1]
  local container = client.container(id)
  local done
  done, err = confirm(context, "stop container " .. id .. " and what runs in it")
  if done then
    done, err = container:stop { force = context.options.force, timeout = context.options.timeout }
  end
  if not done then
    return nil, err
  end
  output.line(id .. " stopped")
  return 0
end
