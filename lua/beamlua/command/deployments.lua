-- beamlua deployments
local output = require "beamlua.cli.output"

local function cells(item)
  return {
    ("%s/v%s"):format(tostring(item.name), tostring(item.version)),
    tostring(item.kind),
    item.active and "active" or "stopped",
    item.created_at or "-",
    item.id or "-",
  }
end

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local options, rows = context.options, {}
  local active = not options.all or nil
  local list =
    client.deployments { name = options.name, kind = options.kind, active = active, limit = options.limit, timeout = options.timeout }
  local item = list:next()
  while item do
    if options.json then
      local ok, problem = output.json(item.record)
      if not ok then
        return nil, problem
      end
    else
      rows[#rows + 1] = cells(item)
    end
    item = list:next()
  end
  if list.err then
    return nil, list.err
  elseif not options.json then
    output.rows({ "NAME", "KIND", "STATE", "CREATED", "ID" }, rows)
  end
  return 0
end
