-- Containers over the API: here each deployment that has run something has one; and the number that a pod would have.
local json = require "beam.json"

local containers = {}

local function find(exchange, id)
  for _, deployment in ipairs(exchange.server.app.deployments.list) do
    if deployment.container == id then
      return deployment
    end
  end
end

local function shown(exchange, deployment)
  return {
    container_id = deployment.container,
    stub_id = deployment.id,
    app_id = deployment.app_id,
    status = "RUNNING",
    scheduled_at = math.floor(deployment.container_since),
    started_at = math.floor(deployment.container_since),
    workspace_id = exchange.workspace.id,
    gpu = "",
    gpu_count = 0,
    cpu = 1000,
    memory = 128,
    worker_id = "local",
    machine_id = "",
  }
end

local function list(exchange)
  local found = {}
  for _, deployment in ipairs(exchange.server.app.deployments.list) do
    if deployment.container then
      found[#found + 1] = shown(exchange, deployment)
    end
  end
  exchange:json(200, json.array(found))
end

local function get(exchange, id)
  local deployment = find(exchange, id)
  if not deployment then
    return exchange:json(400, { message = "Invalid container id" })
  end
  exchange:json(200, shown(exchange, deployment))
end

-- What runs in it is cancelled; the next task gets another one.
local function stop(exchange, id)
  local deployment = find(exchange, id)
  if not deployment then
    return exchange:json(400, { message = "Invalid container id" })
  end
  for _, task in ipairs(exchange.server.app.tasks.list) do
    if task.container_id == id then
      task:set("CANCELLED", "The container was stopped")
    end
  end
  deployment.container = nil
  exchange:respond(200, {}, "")
end

local function scale(exchange, id)
  for _, deployment in ipairs(exchange.server.app.deployments.list) do
    if deployment.kind == "pod" and deployment.deployment_id == id then
      return exchange:json(200, { ok = true })
    end
  end
  exchange:json(200, { ok = false, err_msg = "This type of deployment cannot be scaled directly." })
end

--- What api/init.lua adds to its routes.
containers.routes = {
  { "^/api/v1/container/([^/]+)/?$", { GET = list }, workspace = true },
  { "^/api/v1/container/([^/]+)/([^/]+)/?$", { GET = get }, workspace = true },
  { "^/api/v1/container/([^/]+)/([^/]+)/stop$", { POST = stop }, workspace = true },
  { "^/api/v1/gateway/deployments/([^/]+)/scale$", { POST = scale } },
}

return containers
