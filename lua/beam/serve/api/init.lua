-- The REST API beside the apps: which resource a path means, and whose workspace it is. v1 is the gateway's (beta9), v2 the public one.
local api_deployments = require "beam.serve.api.deployments"
local api_tasks = require "beam.serve.api.tasks"
local ascii = require "beam.base.ascii"
local callbacks = require "beam.serve.app.callbacks"
local containers = require "beam.serve.api.containers"
local journals = require "beam.serve.api.logs"
local outputs = require "beam.serve.api.outputs"
local volumes = require "beam.serve.api.volumes"

local api = {}

local function current_workspace(exchange)
  exchange:json(200, exchange.workspace)
end

local function health(exchange)
  exchange:json(200, { status = "ok" })
end

-- { path, { method = what answers it } }; the first path that fits counts. What answers is given the last capture; where a path has a
-- workspace, that is the first one.
local routes = {
  { "^/api/v1/health/?$", { GET = health }, public = true },
  { "^/api/v1/workspace/current/?$", { GET = current_workspace } },
  { "^/api/v1/task/([^/]+)/?$", { GET = api_tasks.list, DELETE = api_tasks.cancel }, workspace = true },
  { "^/api/v1/task/([^/]+)/([^/]+)/subscribe$", { GET = api_tasks.subscribe }, workspace = true, watching = true },
  { "^/api/v1/task/([^/]+)/([^/]+)/?$", { GET = api_tasks.get }, workspace = true },
  { "^/api/v1/deployment/([^/]+)/url$", { GET = api_deployments.url } },
  { "^/api/v1/deployment/([^/]+)/?$", { GET = api_deployments.list }, workspace = true },
  { "^/api/v1/deployment/([^/]+)/latest$", { GET = api_deployments.latest }, workspace = true },
  { "^/api/v1/deployment/([^/]+)/start/([^/]+)$", { POST = api_deployments.start }, workspace = true },
  { "^/api/v1/deployment/([^/]+)/stop/([^/]+)$", { POST = api_deployments.stop }, workspace = true },
  { "^/api/v1/deployment/([^/]+)/([A-Za-z]+/[^/]+/%d+)/url$", { GET = api_deployments.url_of_version }, workspace = true },
  { "^/api/v1/deployment/([^/]+)/([^/]+)/?$", { GET = api_deployments.get, DELETE = api_deployments.delete }, workspace = true },
  { "^/api/v1/stub/([^/]+)/url$", { GET = api_deployments.stub_url } },
  { "^/api/v1/stub/([^/]+)/([^/]+)/url$", { GET = api_deployments.stub_url }, workspace = true },
  { "^/api/v1/stub/([^/]+)/([^/]+)/url/[^/]+$", { GET = api_deployments.stub_url }, workspace = true },
  { "^/v2/task/?$", { GET = api_tasks.list } },
  { "^/v2/task/cancel/?$", { DELETE = api_tasks.cancel_v2 } },
  { "^/v2/task/([^/]+)/?$", { GET = api_tasks.get_v2 } },
  { "^/output/id/([^/]+)$", { GET = outputs.serve }, public = true },
}

for _, part in ipairs { journals, callbacks, volumes, containers } do
  for _, route in ipairs(part.routes) do
    routes[#routes + 1] = route
  end
end

---@class beam.serve.resource
---@field methods table<string, function>
---@field id string? the last capture
---@field workspace string? the one in the path
---@field watching boolean?
---@field public boolean? needs no token

--- What a path of the API means; nil: it is none of it.
---@param path string
---@return beam.serve.resource?
function api.find(path)
  for _, route in ipairs(routes) do
    local first, second = path:match(route[1])
    if first then
      local id = route.workspace and second or first
      return {
        methods = route[2],
        id = id,
        workspace = route.workspace and first,
        watching = route.watching,
        public = route.public,
      }
    end
  end
end

--- Answers a request that was let in.
---@param exchange table beam/serve/exchange.lua
---@param resource beam.serve.resource
function api.answer(exchange, resource)
  local answer = resource.methods[exchange.method]
  exchange.workspace = exchange.server.workspace
  if not resource.public and exchange.server.faults:befall_api(exchange, resource.watching) then
    return
  elseif resource.workspace and ascii.lower(resource.workspace) ~= exchange.workspace.id then
    return exchange:json(401, { message = "Unauthorized" })
  elseif not answer then
    return exchange:json(405, { message = "Method Not Allowed" })
  end
  answer(exchange, resource.id)
end

return api
