-- beam.logs{…} and beam.events{…}: what a deployment, a task or a container says, and what happens to it; so far, or from now on.
--
--   for line, record in beam.logs { task = id, follow = true } do print(line) end
local api = require "beam.rest.api"
local config = require "beam.settings.config"
local deployment = require "beam.deployment"
local driver = require "beam.driver"
local errors = require "beam.error"
local followed = require "beam.rest.followed"
local mistake = require "beam.base.mistake"
local moment = require "beam.rest.moment"
local numbered = require "beam.rest.numbered"
local types = require "beam.base.types"
local workspace = require "beam.rest.workspace"

local logs = {}

---@class beam.logs_options: beam.options
---@field deployment string|beam.target|nil one of these three; a name is its latest version
---@field task string|beam.task|nil
---@field container string?
---@field follow boolean? go on with what comes; of a task, to its end. Default: what there is so far
---@field since string|number|nil seconds ago, "90s", "10m", "2h", "1d" ago, or "2026-08-01T10:00:00Z"
---@field silence number? seconds without a line until the connection is made anew, default 60; two of them end what is not followed
---@field retry beam.retry_policy? Beam cannot be asked: after how many seconds it is again; nil: give up
local option_types = {
  deployment = "string|table",
  task = "string|table",
  container = "string",
  follow = "boolean",
  since = "string|number",
  silence = "number",
  retry = "function",
}

local known = config.known(option_types)

local function check(options, where)
  errors.check_options(options, known, where)
  config.check(options, where)
  types.check(options, option_types, where)
  if (options.deployment and 1 or 0) + (options.task and 1 or 0) + (options.container and 1 or 0) ~= 1 then
    mistake(where .. ": one of deployment, task and container")
  end
  local since = options.since and moment.of(options.since)
  if options.since and not since then
    mistake(("%s: 'since' is seconds, '10m', '2h' or a time like '2026-08-01T10:00:00Z', not '%s'"):format(where, tostring(options.since)))
  end
  return since
end

-- ---- Of what ----

local function id_of_task(given)
  local id = type(given) == "table" and given.id or given
  if not require("beam.task").is_id(id) then
    mistake "beam.logs: a task is its id, or what beam.task and beam.submit return"
  end
  return id
end

-- A name's latest version, as Beam knows it; an id may be the deployment's or the stub's. Returns its fields, or nil and an error.
local function find_deployment(settings, target, timeout)
  local read = deployment.read(target)
  local found, err = deployment.get(settings, target):fetch { timeout = timeout }
  if found then
    return { id = found.id, stub_id = found.stub_id }
  elseif read.uuid and (err.status == 404 or err.status == 400) then
    return { stub_id = read.uuid }
  end
  return nil, err
end

-- Seconds that a handler's machine may be behind the gateway's.
local clocks_apart = 60

-- The time from when on a task may have said something.
local function beginning_of_task(settings, id, timeout)
  local record, err = api.of(settings).task(settings, id, { timeout = timeout })
  local created = record and moment.parse(record.created_at)
  return record and (created and moment.format(created - clocks_apart) or false), err
end

-- What is asked about: { task =, container =, deployment =, stub_id = }; looked up when the first line is wanted.
local function subject_of(settings, options)
  if options.task then
    return { task = id_of_task(options.task), name = "the logs of task " .. id_of_task(options.task) }
  elseif options.container then
    return { container = options.container, name = "the logs of container " .. options.container }
  end
  local read = deployment.read(options.deployment)
  return { target = options.deployment, name = "the logs of " .. read.text, settings = settings }
end

local function look_up(subject, state, timeout)
  local settings = state.settings
  if subject.target and not subject.found then
    local found, err = find_deployment(settings, subject.target, timeout)
    subject.found = found
    return found, err
  elseif subject.task and not state.since and not subject.found then
    local since, err = beginning_of_task(settings, subject.task, timeout)
    if since == nil then
      return nil, err
    end
    state.since, subject.found = since or nil, true
  end
  return true
end

-- ---- Paths and queries ----

local function log_query(subject, query)
  if subject.task then
    query.object_type, query.object_id = "task", subject.task
  elseif subject.container then
    query.object_type, query.object_id = "container", subject.container
  elseif subject.found.id then
    query.object_type, query.object_id = "deployment", subject.found.id
  else
    query.object_type, query.object_id = "stub", subject.found.stub_id
  end
  return "/api/v1/logs/%s/stream"
end

local function event_path(subject)
  local what = subject.task and "tasks/" .. subject.task or subject.container and "containers/" .. subject.container
  return "/api/v1/events/%s/" .. (what or "stubs/" .. tostring(subject.found.stub_id)) .. "/stream"
end

-- Gives a state what makes its paths.
local function add_path(state, subject, make)
  local id
  function state.path(timeout)
    local deadline = driver.now() + timeout
    local found, err = look_up(subject, state, timeout)
    id = nil
    if found then
      id, err = workspace.id(state.settings, math.max(0, deadline - driver.now()))
    end
    return id and make(subject, state.query):format(id), err
  end
  function state.doubt()
    workspace.forget(state.settings, id)
  end
end

-- ---- The end of a task ----

-- A task's logs end when it has ended; whoever waits for it need not keep the object alive.
local function end_with_task(state, settings, id)
  local watched = require("beam.task.watch").new(settings, id, {}, function() end)
  state.on_end = function()
    watched:close()
  end
  driver.spawn(function()
    while watched:next() do -- luacheck: ignore 542 (each change is only waited for)
    end
    if watched.err then
      numbered.finish(state, watched.err)
    elseif not state.over then
      numbered.bring_to_an_end(state)
    end
  end)
end

-- ---- Both ----

local function open(settings, options, where, make, show)
  local since = check(options, where)
  local own = config.override(settings, options)
  own.timeout = nil
  local subject = subject_of(own, options)
  local state = numbered.new {
    settings = own,
    name = subject.name,
    query = {},
    follow = options.follow,
    since = since,
    timeout = options.timeout,
    silence = options.silence,
    retry = options.retry,
  }
  if own.api_version ~= "v1" then
    local message = "Beam's public API has no logs and no events"
    local hint = "api_version = 'v1' asks the gateway"
    numbered.finish(state, errors.new { kind = "invalid", message = message, hint = hint })
  else
    add_path(state, subject, make)
    if subject.task and options.follow then
      end_with_task(state, own, subject.task)
    end
  end
  local self = followed.new(state, show)
  return self, nil, nil, self
end

local function line_of(record)
  return record.message, record
end

local function type_of(record, event)
  return record.type or event or "event", record
end

--- The log lines of a deployment, a task or a container, each once and in order, through lost connections: in a loop, or by :next().
---@param settings beam.settings
---@param options beam.logs_options
---@return beam.followed lines lines.err says afterwards why they ended early
function logs.logs(settings, options)
  return open(settings, options or {}, "beam.logs", log_query, line_of)
end

--- What happens to a deployment, a task or a container: types and records, as beam.logs.
---@param settings beam.settings
---@param options beam.logs_options
---@return beam.followed events events.err says afterwards why they ended early
function logs.events(settings, options)
  return open(settings, options or {}, "beam.events", event_path, type_of)
end

--- The last lines that there are of a task.
---@param settings beam.settings
---@param id string
---@param count integer at most 1000
---@param timeout number?
---@return string[]? lines, beam.error? err
function logs.last_of_task(settings, id, count, timeout)
  local asked = api.of(settings)
  if not asked.logs then
    return {}
  end
  local records, err = asked.logs(settings, { object_type = "task", object_id = id, limit = count }, { timeout = timeout })
  if not records then
    return nil, err
  end
  local lines = {}
  for _, record in ipairs(records) do
    lines[#lines + 1] = type(record) == "table" and tostring(record.message) or nil
  end
  return lines
end

return logs
