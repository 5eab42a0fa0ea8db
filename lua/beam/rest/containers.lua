-- beam.containers() and their end: what runs in the workspace now.
local api = require "beam.rest.api"
local deployment = require "beam.deployment"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"

local containers = {}

---@class beam.container
---@field id string "endpoint-{stub}-a1b2c3d4"
---@field status string
---@field stub_id string
---@field record table Beam's
local Container = {}
local meta = { __name = "beam.container", __index = Container }

function meta:__tostring()
  return ("beam.container %s (%s)"):format(self.id, self.status)
end

local settings_of = setmetatable({}, { __mode = "k" })

local function new(settings, record)
  local id = tostring(record.container_id or record.id)
  local self = setmetatable({ id = id, status = tostring(record.status), stub_id = record.stub_id, record = record }, meta)
  settings_of[self] = settings
  return self
end

local function check(options, known, where)
  options = options or {}
  errors.check_options(options, known, where)
  return options
end

--- The container with this id; Beam is not asked.
---@param settings beam.settings
---@param id string
---@return beam.container
function containers.get(settings, id)
  if type(id) ~= "string" or not id:find "^[A-Za-z0-9][A-Za-z0-9-]*$" then
    mistake "beam.container wants the id of a container"
  end
  return new(settings, { container_id = id, status = "unknown" })
end

local function refused(settings)
  if not api.of(settings).containers then
    local message, advice = "Beam's public API has no containers", "api_version = 'v1' asks the gateway"
    return errors.new { kind = "invalid", message = message, hint = advice }
  end
end

-- The stub of a deployment's latest version; nil and an error.
local function stub_of(settings, target, timeout)
  local found, err = deployment.get(settings, target):fetch { timeout = timeout }
  if found and not found.stub_id then
    err = errors.new { kind = "http", message = "Beam did not say which stub the deployment has", phase = "response", body = found.record }
  end
  return found and found.stub_id, err
end

--- The containers that run, or start.
---@param settings beam.settings
---@param options { deployment: string|beam.target|nil, timeout: number? }? of that deployment
---@return beam.container[]? list, beam.error? err
function containers.list(settings, options)
  local given = check(options, { deployment = true, timeout = true }, "beam.containers")
  local none = refused(settings)
  local stub, err
  if none then
    return nil, none
  elseif given.deployment then
    stub, err = stub_of(settings, given.deployment, given.timeout)
    if not stub then
      return nil, err
    end
  end
  local records, problem = api.of(settings).containers(settings, { timeout = given.timeout })
  local list = {}
  for _, record in ipairs(records or {}) do
    if type(record) == "table" and (not stub or record.stub_id == stub) then
      list[#list + 1] = new(settings, record)
    end
  end
  return records and list, problem
end

--- Ends it. What runs in it ends with it.
---@param options { force: boolean?, timeout: number? }? force: at once
---@return true? done, beam.error? err
function Container:stop(options)
  local given = check(options, { force = true, timeout = true }, "container:stop")
  local settings = settings_of[self]
  local none = refused(settings)
  if none then
    return nil, none
  end
  local done, err = api.of(settings).stop_container(settings, self.id, given.force, { timeout = given.timeout })
  if not done and err.status == 409 then -- it is stopping already
    return true
  end
  return done, err
end

return containers
