-- What is deployed: handlers by kind, name and version, each with a stub id of its own.
local ascii = require "beam.base.ascii"
local timestamp = require "beam.serve.api.timestamp"
local url = require "beam.serve.url"

local deployments = {}

---@class beam.serve.deployment
---@field kind string "asgi", "endpoint", "taskqueue", "function", "schedule", "pod" or "bot"
---@field name string
---@field version integer
---@field id string the stub id, a UUID
---@field deployment_id string another one
---@field app_id string the same for all that have the name
---@field subdomain string the label without its version, the same for all versions
---@field sequence integer rises from deployment to deployment
---@field created_at number seconds since 1970
---@field active boolean false: answered with 400 "Deployment is not active"
---@field handler function
---@field options table
---@field live integer connections going on
---@field in_flight integer tasks that have not ended
local Deployment = {}
Deployment.__index = Deployment
Deployment.__name = "beam.serve.deployment"

--- The "container" that runs its tasks.
---@return string
function Deployment:container_id()
  if not self.container then
    self.container, self.container_since = ("%s-%s-%s"):format(self.kind, self.id, url.uuid():sub(1, 8)), timestamp.now()
  end
  return self.container
end

local Deployments = {}
Deployments.__index = Deployments
Deployments.__name = "beam.serve.deployments"

function deployments.new()
  return setmetatable({ list = {}, sequence = 0 }, Deployments)
end

--- Deploys one more version. options: as checked (kinds.lua), with id, version, active.
function Deployments:add(kind, name, handler, options)
  local latest = self:find { kind = kind, name = name }
  local namesake = latest or self:find { name = name }
  local deployment = setmetatable({
    kind = kind,
    name = name,
    version = options.version or (latest and latest.version or 0) + 1,
    id = options.id and ascii.lower(options.id) or url.uuid(),
    deployment_id = url.uuid(),
    app_id = namesake and namesake.app_id or url.uuid(),
    subdomain = latest and latest.subdomain or ascii.lower(name) .. "-" .. url.uuid():sub(1, 7),
    created_at = timestamp.now(),
    active = options.active ~= false,
    handler = handler,
    options = options,
    live = 0,
    sessions = {}, -- its open realtime connections, of all servers
    in_flight = 0,
  }, Deployment)
  table.insert(self.list, deployment)
  self.sequence = self.sequence + 1
  deployment.sequence = self.sequence
  return deployment
end

--- Takes a deployment away; what runs of it runs on.
---@param deployment beam.serve.deployment
function Deployments:remove(deployment)
  for i, one in ipairs(self.list) do
    if one == deployment then
      table.remove(self.list, i)
      return
    end
  end
end

-- A label names no kind; where several have the name, the highest version is meant, and of those what was deployed last.
local function matches(deployment, address)
  if address.kind and deployment.kind ~= address.kind then
    return false
  elseif address.id then
    return deployment.id == ascii.lower(address.id)
  end
  return ascii.lower(deployment.name) == ascii.lower(address.name) and (not address.version or deployment.version == address.version)
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
