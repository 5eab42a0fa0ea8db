-- beamlua logs NAME|TASK|CONTAINER: what a deployment, a task or a container said, or says; --events: what happens to it.
local label = require "beam.settings.label"
local output = require "beamlua.cli.output"

-- What is meant: of an id first the task, then the deployment or the stub.
local function subjects_of(what)
  local told = label.read(what)
  if told and told.container then
    return { { container = told.container } }
  elseif label.is_uuid(what) then
    return { { task = what }, { deployment = what } }
  end
  return { { deployment = what } }
end

local function time_of(record)
  return tostring(record.timestamp):match "T(%d%d:%d%d:%d%d%.?%d?%d?%d?)" or "-"
end

local function print_item(context, item, record)
  if context.options.json then
    return output.json(record)
  elseif context.options.times then
    item = time_of(record) .. " " .. tostring(item)
  end
  output.told(tostring(item))
  return true
end

local function open(client, context, subject)
  local options = context.options
  local given = { follow = options.follow, since = options.since, timeout = options.timeout }
  for name, value in pairs(subject) do
    given[name] = value
  end
  return (options.events and client.events or client.logs)(given)
end

-- Prints what comes. Returns an error, and whether anything was printed.
local function print_all(context, items)
  local item, record = items:next()
  local any = item ~= nil
  while item ~= nil do
    local ok, err = print_item(context, item, record)
    if not ok then
      return err, any
    end
    item, record = items:next()
  end
  return items.err, any
end

return function(context)
  local client, err = context.client()
  local subjects = client and subjects_of(context.positionals[1]) or {}
  for number, subject in ipairs(subjects) do
    local any
    err, any = print_all(context, open(client, context, subject))
    if not err then
      return 0
    elseif any or err.status ~= 404 or number == #subjects then
      return nil, err
    end
  end
  return nil, err
end
