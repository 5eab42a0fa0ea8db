-- Deployments and stubs over the API (docs/wire.md section 2): lists, one of them, its address.
local ascii = require "beam.base.ascii"
local filters = require "beam.serve.api.filters"
local json = require "beam.json"
local pages = require "beam.serve.api.pages"
local records = require "beam.serve.api.records"

local api_deployments = {}

local function renderer(exchange)
  return function(deployment)
    return records.deployment(deployment, exchange.workspace)
  end
end

local function find(exchange, field, id)
  for _, deployment in ipairs(exchange.server.app.deployments.list) do
    if deployment[field] == ascii.lower(id) then
      return deployment
    end
  end
end

local function chosen(exchange)
  return filters.deployments(exchange.server.app.deployments.list, exchange.query)
end

local function bad_query(exchange)
  exchange:json(400, { message = "Failed to decode query parameters" })
end

local function answer_page(exchange, deployments)
  local page, status, message = pages.page(deployments, exchange.query, renderer(exchange))
  exchange:json(page and 200 or status, page or { message = message })
end

--- GET /api/v1/deployment/{workspace}: a bare array, with pagination=true a page.
function api_deployments.list(exchange)
  local deployments = chosen(exchange)
  if not deployments then
    return bad_query(exchange)
  elseif filters.is_true(exchange.query.pagination) then
    return answer_page(exchange, deployments)
  end
  local slice, list = pages.slice(deployments, exchange.query), {}
  if not slice then
    return bad_query(exchange)
  end
  for i, deployment in ipairs(slice) do
    list[i] = records.deployment(deployment, exchange.workspace)
  end
  exchange:json(200, json.array(list))
end

--- GET /api/v1/deployment/{workspace}/latest: of each name and kind the highest version.
function api_deployments.latest(exchange)
  local deployments, latest = chosen(exchange), {}
  if not deployments then
    return bad_query(exchange)
  end
  for _, deployment in ipairs(deployments) do
    local newest = exchange.server.app.deployments:find { kind = deployment.kind, name = deployment.name }
    if newest == deployment then
      latest[#latest + 1] = deployment
    end
  end
  answer_page(exchange, latest)
end

--- GET /api/v1/deployment/{workspace}/{id}
function api_deployments.get(exchange, id)
  local deployment = find(exchange, "deployment_id", id)
  if not deployment then
    return exchange:json(404, { message = "" })
  end
  exchange:json(200, records.deployment(deployment, exchange.workspace))
end

local function not_found(exchange)
  exchange:json(400, { message = "Deployment not found" })
end

-- What is changed of a deployment has no answer but its status.
local function changing(change)
  return function(exchange, id)
    local deployment = find(exchange, "deployment_id", id)
    if not deployment then
      return not_found(exchange)
    end
    change(deployment, exchange.server.app.deployments)
    exchange:respond(200, {}, "")
  end
end

--- POST /api/v1/deployment/{workspace}/start/{id}
api_deployments.start = changing(function(deployment)
  deployment.active = true
end)

--- POST /api/v1/deployment/{workspace}/stop/{id}
api_deployments.stop = changing(function(deployment)
  deployment.active = false
end)

--- DELETE /api/v1/deployment/{workspace}/{id}
api_deployments.delete = changing(function(deployment, deployments)
  deployments:remove(deployment)
end)

-- Where a deployment is called; without credentials by its stub only.
local function address_of(exchange, deployment)
  local path = ("%s/%s/v%d"):format(deployment.kind, deployment.name, deployment.version)
  if deployment.options.authorized == false then
    path = ("%s/public/%s"):format(deployment.kind, deployment.id)
  end
  return { url = exchange:base() .. "/" .. path }
end

--- GET /api/v1/deployment/{workspace}/{type}/{name}/{version}/url
function api_deployments.url_of_version(exchange, path)
  local kind, name, version = path:match "^([^/]+)/([^/]+)/([^/]+)$"
  local deployment = exchange.server.app.deployments:find { kind = kind, name = name, version = tonumber(version) }
  if not deployment then
    return exchange:json(400, { message = "Invalid deployment" })
  end
  exchange:json(200, address_of(exchange, deployment))
end

--- GET /api/v1/deployment/{id}/url
function api_deployments.url(exchange, id)
  local deployment = find(exchange, "deployment_id", id)
  if not deployment then
    return exchange:json(400, { message = "Invalid deployment ID" })
  end
  exchange:json(200, address_of(exchange, deployment))
end

--- GET /api/v1/stub/{id}/url
function api_deployments.stub_url(exchange, id)
  local deployment = find(exchange, "id", id)
  if not deployment then
    return exchange:json(400, { message = "Invalid stub ID" })
  end
  local form = deployment.options.authorized == false and "public" or "id"
  exchange:json(200, { url = ("%s/%s/%s/%s"):format(exchange:base(), deployment.kind, form, deployment.id) })
end

return api_deployments
