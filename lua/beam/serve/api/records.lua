-- Tasks, deployments and what belongs to them, as the API shows them: beta9's fields (docs/wire.md sections 2 and 6).
local json = require "beam.json"
local outputs = require "beam.serve.api.outputs"
local slots = require "beam.serve.app.slots"
local timestamp = require "beam.serve.api.timestamp"

local records = {}

local null = json.null

local function finite(number)
  return number and number < math.huge and number or 0
end

--- The one workspace there is.
---@param id string
function records.workspace(id, created_at)
  local created = timestamp.format(created_at)
  return { id = id, external_id = id, name = "local", created_at = created, updated_at = created }
end

-- What the deployment was told, in the form Beam keeps it: a JSON text.
local function config_of(deployment)
  local options = deployment.options
  return json.encode {
    handler = "app.lua:" .. deployment.name,
    python_version = "lua",
    workers = finite(options.workers),
    max_pending_tasks = finite(options.max_pending),
    task_policy = { max_retries = options.retries or 0, timeout = options.timeout or 0, ttl = options.ttl or 0 },
    authorized = options.authorized ~= false,
  }
end

local function stub_type(deployment)
  return deployment.kind .. "/deployment"
end

local function stub_name(deployment)
  return ("%s/%s:%s"):format(stub_type(deployment), deployment.name, deployment.name)
end

local function stub(deployment)
  local created = timestamp.format(deployment.created_at)
  return {
    id = deployment.id,
    external_id = deployment.id,
    name = stub_name(deployment),
    type = stub_type(deployment),
    config = config_of(deployment),
    config_version = 1,
    public = false,
    created_at = created,
    updated_at = created,
  }
end

--- A deployment.
---@param deployment beam.serve.deployment
---@param workspace table records.workspace
function records.deployment(deployment, workspace)
  local created = timestamp.format(deployment.created_at)
  return {
    id = deployment.deployment_id,
    external_id = deployment.deployment_id,
    name = deployment.name,
    active = deployment.active,
    subdomain = deployment.subdomain,
    stub_type = stub_type(deployment),
    version = deployment.version,
    created_at = created,
    updated_at = created,
    deleted_at = null,
    stub = stub(deployment),
    stub_id = deployment.id,
    app = { id = deployment.app_id, external_id = deployment.app_id, name = deployment.name },
    app_id = deployment.app_id,
    workspace = workspace,
    workspace_id = workspace.id,
  }
end

local function add_details(record, task, base)
  record.outputs = json.array(outputs.records(task, base))
  record.stats = { active_containers = slots.running(task.deployment) > 0 and 1 or 0, queue_depth = task.deployment.in_flight }
end

--- A task. options: base (the URL of this server, for outputs), workspace (its record), result (false: without it), details (false:
--- without outputs and stats).
---@param task beam.serve.task
function records.task(task, options)
  local deployment, workspace = task.deployment, options.workspace
  local record = {
    id = task.id,
    external_id = task.id,
    status = task.status,
    failure_reason = task.failure_reason,
    container_id = task.container_id,
    created_at = timestamp.format(task.created_at),
    updated_at = timestamp.format(task.updated_at),
    started_at = timestamp.format(task.started_at) or null,
    ended_at = timestamp.format(task.ended_at) or null,
    outputs = json.array {},
    stats = { active_containers = 0, queue_depth = 0 },
    deployment = {
      id = deployment.deployment_id,
      external_id = deployment.deployment_id,
      name = deployment.name,
      version = deployment.version,
    },
    stub = stub(deployment),
    stub_id = deployment.id,
    stub_name = stub_name(deployment),
    workspace = workspace,
    workspace_id = workspace.id,
    workspace_name = workspace.name,
  }
  if options.details ~= false then
    add_details(record, task, options.base)
  end
  if options.result ~= false then
    record.result = task.result == nil and null or task.result
  end
  return record
end

records.stub_type, records.stub_name = stub_type, stub_name

return records
