-- beamlua task get|wait|watch|result|outputs|download|cancel ID, beamlua task list
local errors = require "beam.error"
local file_name = require "beam.http.file_name"
local exit_codes = require "beamlua.cli.exit_codes"
local output = require "beamlua.cli.output"
local task_results = require "beamlua.cli.task_results"

local actions = {}

local function text(value)
  return type(value) == "string" and value or type(value) == "number" and tostring(value) or "-"
end

-- ---- States ----

function actions.get(context, task)
  local status, record = task:status(context.options.timeout)
  if not status then
    return nil, record
  end
  local ok, err = output.json(record)
  return ok and 0, err
end

local function code_of(status)
  return status == "COMPLETE" and 0 or exit_codes.task
end

function actions.wait(context, task)
  local record, err = task:wait(context.options.timeout)
  if not record then
    return nil, err
  end
  output.told(record.status)
  return code_of(record.status)
end

function actions.watch(context, task)
  local events = task:events(context.options.timeout)
  local last
  local status = events:next()
  while status do
    last = status
    output.told(status)
    status = events:next()
  end
  if events.err then
    return nil, events.err
  end
  return code_of(last)
end

function actions.cancel(context, task)
  local status, record, before = task:cancel(context.options.timeout)
  if not status then
    return nil, record
  end
  output.told(status)
  if before then
    output.say(context, "it had ended before")
  end
  return 0
end

function actions.result(context, task)
  return task_results.print(context, task, context.options.timeout)
end

-- ---- Files ----

function actions.outputs(context, task)
  local outputs, err = task:outputs(context.options.timeout)
  if not outputs then
    return nil, err
  end
  for _, file in ipairs(outputs) do
    if context.options.json then
      local ok, problem = output.json(file)
      if not ok then
        return nil, problem
      end
    else
      output.told(text(file.name))
    end
  end
  return 0
end

local function is_folder(path)
  local file = io.open(path, "rb")
  local _, _, code = nil, nil, nil
  if file then
    _, _, code = file:read(0)
    file:close()
  end
  return code == 21 -- EISDIR
end

local function place_of(given, name)
  if not given then
    return file_name.safe(name)
  elseif is_folder(given) then
    return given:gsub("/*$", "/") .. file_name.safe(name)
  end
  return given
end

local function wanted_files(context, task)
  local outputs, err = task:outputs(context.options.timeout)
  if not outputs then
    return nil, err
  end
  local name = context.positionals[2]
  local wanted = {}
  for _, file in ipairs(outputs) do
    if not name or file.name == name then
      wanted[#wanted + 1] = file
    end
  end
  if not wanted[1] then
    local message = name and ("the task has no output '%s'"):format(name) or "the task has no outputs"
    return nil, errors.new { kind = "invalid", message = message, executed = "yes", hint = "beamlua task outputs lists them" }
  elseif wanted[2] and context.options.output and not is_folder(context.options.output) then
    return nil, errors.new { kind = "invalid", message = "there are several outputs, and --output is no folder" }
  end
  return wanted
end

function actions.download(context, task)
  local wanted, err = wanted_files(context, task)
  if not wanted then
    return nil, err
  end
  for _, file in ipairs(wanted) do
    local path = place_of(context.options.output, text(file.name))
    local size, problem = task:download(file, path, { timeout = context.options.timeout })
    if not size then
      return nil, problem
    end
    output.line(path)
    task_results.say(context, ("%d bytes"):format(size))
  end
  return 0
end

-- ---- Lists ----

local function print_list(context, list)
  local rows = {}
  local task = list:next()
  while task do
    local record = task.record
    if context.options.json then
      local ok, problem = output.json(record)
      if not ok then
        return nil, problem
      end
    else
      local deployment = type(record.deployment) == "table" and record.deployment or {}
      rows[#rows + 1] = { task.id, text(record.status), text(deployment.name or record.stub_name), text(record.created_at) }
    end
    task = list:next()
  end
  if list.err then
    return nil, list.err
  elseif not context.options.json then
    output.rows({ "ID", "STATUS", "OF", "CREATED" }, rows)
  end
  return 0
end

local longest_list = 100 -- tasks, where nothing else is said

local function list_tasks(context, client)
  local options = context.options
  local list = client.tasks {
    status = options.status,
    deployment = options.deployment,
    kind = options.kind,
    limit = options.limit or longest_list,
    timeout = options.timeout,
  }
  return print_list(context, list)
end

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  elseif context.name == "list" then
    return list_tasks(context, client)
  end
  return actions[context.name](context, client.task(context.positionals[1]))
end
