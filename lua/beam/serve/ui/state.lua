-- What the page shows: deployments, connections, the newest tasks, faults; as one table for JSON.
local json = require "beam.json"
local slots = require "beam.serve.app.slots"
local timestamp = require "beam.serve.api.timestamp"

local state = {}

local most_tasks = 50

local function deployment_of(deployment)
  return {
    id = deployment.id,
    kind = deployment.kind,
    name = deployment.name,
    version = deployment.version,
    active = deployment.active,
    port = deployment.kind == "pod" and (deployment.options.ports or { 8000 })[1] or nil,
    public = deployment.options.authorized == false,
    in_flight = deployment.in_flight,
    live = deployment.live,
    running = slots.running(deployment),
    inputs = deployment.options.inputs,
  }
end

local function connection_of(session)
  return {
    number = session.number,
    name = session.deployment.name,
    opened = timestamp.format(session.opened_at),
    received = session.received,
    sent = session.sent,
    silent = session.silent,
    zombie = session.zombie,
    blocked = session.deployment.held ~= nil,
  }
end

local function outputs_of(task)
  local list = {}
  for i, output in ipairs(task.outputs) do
    list[i] = { name = output.name, url = "/output/id/" .. output.id }
  end
  return json.array(list)
end

local function task_of(task)
  return {
    id = task.id,
    name = task.deployment.name,
    kind = task.deployment.kind,
    status = task.status,
    reason = task.failure_reason:match "^[^\n]*",
    created = timestamp.format(task.created_at),
    started = timestamp.format(task.started_at),
    ended = timestamp.format(task.ended_at),
    outputs = outputs_of(task),
  }
end

local function connections_of(server)
  local list = {}
  for _, session in ipairs(server:connections()) do
    list[#list + 1] = connection_of(session)
  end
  table.sort(list, function(a, b)
    return a.number < b.number
  end)
  return json.array(list)
end

local function tasks_of(server)
  local all, list = server.app.tasks.list, {}
  for i = #all, math.max(1, #all - most_tasks + 1), -1 do
    list[#list + 1] = task_of(all[i])
  end
  return json.array(list)
end

--- All of it.
---@param server beam.serve.server
---@return table
function state.of(server)
  local deployments = {}
  for i, deployment in ipairs(server.app.deployments.list) do
    deployments[i] = deployment_of(deployment)
  end
  return {
    workspace = server.workspace.id,
    url = server.url,
    deployments = json.array(deployments),
    connections = connections_of(server),
    tasks = tasks_of(server),
    faults = server.faults_given,
  }
end

return state
