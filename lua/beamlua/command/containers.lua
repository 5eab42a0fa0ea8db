-- beamlua containers
local output = require "beamlua.cli.output"

return function(context)
  local client, err = context.client()
  local list
  if client then
    list, err = client.containers { deployment = context.options.deployment, timeout = context.options.timeout }
  end
  if not list then
    return nil, err
  end
  local rows = {}
  for i, container in ipairs(list) do
    if context.options.json then
      local ok, problem = output.json(container.record)
      if not ok then
        return nil, problem
      end
    end
    rows[i] = { container.id, container.status, output.time(container.record.started_at) }
  end
  if not context.options.json then
    output.rows({ "ID", "STATUS", "STARTED" }, rows)
  end
  return 0
end
