-- What is deployed: handlers by kind, name and version, each with a stub id of its own.
local url = require "beam.serve.url"

local deployments = {}

---@class beam.serve.deployment
---@field kind string "asgi" or "endpoint"
---@field name string
---@field version integer
---@field id string the stub id, a UUID
---@field active boolean false: answered with 400 "Deployment is not active"
---@field handler function
---@field options table
---@field live integer handler runs or connections going on

local Deployments = {}
Deployments.__index = Deployments
Deployments.__name = "beam.serve.deployments"

function deployments.new()
  return setmetatable({ list = {} }, Deployments)
end

--- Deploys one more version. options: id, version, active.
function Deployments:add(kind, name, handler, options)
  options = options or {}
  local latest = self:find { kind = kind, name = name }
  local deployment = {
    kind = kind,
    name = name,
    version = options.version or (latest and latest.version or 0) + 1,
    id = options.id or url.uuid(),
    active = options.active ~= false,
    handler = handler,
    options = options,
    live = 0,
  }
  table.insert(self.list, deployment)
  return deployment
end

-- A label names no kind; where several have the name, what was deployed last is meant.
local function matches(deployment, address)
  if address.kind and deployment.kind ~= address.kind then
    return false
  elseif address.id then
    return deployment.id == address.id
  end
  return deployment.name:lower() == address.name:lower() and (not address.version or deployment.version == address.version)
end

--- The deployment of an address (route.lua); without a version the latest.
function Deployments:find(address)
  local found
  for _, deployment in ipairs(self.list) do
    if matches(deployment, address) and (not found or deployment.version >= found.version) then
      found = deployment
    end
  end
  return found
end

return deployments
