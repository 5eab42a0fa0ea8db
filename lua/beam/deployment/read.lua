-- What a target says about which deployment it is: name, version, kind, or an id. Beam is not asked.
local address = require "beam.settings.target"
local label = require "beam.settings.label"

local function number_of(version)
  return tonumber(tostring(version):match "%d+")
end

-- https://name-1234567-v2.app.beam.cloud, https://app.beam.cloud/endpoint/name/v2, …/endpoint/id/{stub}: as the fields of a target.
local function from_url(url)
  local host, path = url:match "^[a-z]+://([^./:]+)%.app%.beam%.cloud", url:match "^[a-z]+://[^/]+/([^?#]*)"
  local kind, first, second = (path or ""):match "^([a-z]+)/([^/]+)/?([^/]*)"
  if host then
    return { id = host }
  elseif first == "id" or first == "public" then
    return { id = second, kind = kind }
  elseif first then
    local version = second:match "^v%d+$" or second:match "^latest$" or kind ~= "pod" and second:match "^%d+$" or nil
    return { name = first, version = version, kind = kind }
  end
  return {}
end

---@class beam.deployment_target
---@field text string as a person knows it
---@field uuid string? a deployment's id, or a stub's
---@field name string?
---@field version integer?
---@field latest boolean?
---@field kind string?
---@field subdomain string? of a label

-- An id, or a label, as what it says of its deployment.
local function add_id(read, id)
  local told = label.read(id)
  if told and told.stub then
    read.uuid = told.stub
  elseif told then
    read.subdomain, read.name = told.base, told.name
    read.version, read.latest = read.version or tonumber(told.version), read.latest or told.version == "latest"
  else
    read.subdomain, read.name = id, id:match "^(.+)%-[^-]+$" or id
  end
end

--- What a target says about which deployment it is. Raises for what is no target.
---@param given string|beam.target
---@return beam.deployment_target
return function(given)
  local target = address.read(given, "endpoint")
  local kind = type(given) == "table" and given.kind or nil
  local shown = target.url and target.url:gsub("%?.*$", "")
  if target.url then
    target = from_url(target.url)
    kind = kind or target.kind
  end
  local read = { text = target.name or target.id or shown, kind = kind, name = target.name }
  read.version, read.latest = number_of(target.version), target.version == "latest"
  if target.id then
    add_id(read, target.id)
  end
  return read
end
