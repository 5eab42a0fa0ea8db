-- Labels, the first part of a host below app.beam.cloud (docs/wire.md section 2):
--
--   name-7a7db8c   name-7a7db8c-latest   name-7a7db8c-v2   name-7a7db8c-8000   name-7a7db8c-v2-8000      a deployment, a pod's port
--   {uuid}   {uuid}-8000                                                                              a stub
--   pod-{uuid}-a1b2c3d4   pod-{uuid}-a1b2c3d4-8000                                                    a container
local label = {}

local hex = "%x%x%x%x"
local alphanumeric = "[0-9A-Za-z]"
local uuid = hex .. hex .. ("%-" .. hex):rep(4) .. hex .. hex
local container_kinds = { sandbox = true, pod = true, endpoint = true, taskqueue = true }

---@class beam.label
---@field name string? of a deployment
---@field base string? the label without version and port: the subdomain
---@field version string? "3" or "latest"
---@field port integer?
---@field stub string? a UUID
---@field container string? "pod-{uuid}-a1b2c3d4"
---@field kind string? of a container

---@param text string
---@return boolean
function label.is_uuid(text)
  return text:find("^" .. uuid .. "$") ~= nil
end

local function port_of(digits)
  local port = tonumber(digits)
  return port and port > 0 and port < 65536 and port or nil
end

local function of_container(text)
  local container, rest = text:match("^([a-z]+%-" .. uuid .. "%-" .. alphanumeric:rep(8) .. ")(.*)$")
  local kind, stub = (container or ""):match("^([a-z]+)%-(" .. uuid .. ")")
  local port = port_of((rest or ""):match "^%-(%d+)$")
  if container_kinds[kind] and (port or rest == "") then
    return { kind = kind, stub = stub, container = container, port = port }
  end
end

local function of_stub(text)
  local stub, port = text:match("^(" .. uuid .. ")%-?(%d*)$")
  local number = port_of(port)
  return stub and (#stub == #text or text:sub(#stub + 1, #stub + 1) == "-" and number) and { stub = stub, port = number } or nil
end

-- The seven characters are a hash: with a digit among them, or else a name like image-resizer would be a label.
local function of_base(base)
  local name, hash = base:match("^([0-9A-Za-z%-]+)%-(" .. alphanumeric:rep(7) .. ")$")
  return name and hash:find "%d" and name or nil
end

-- With version and port off in turn, the shortest first: of name-7a7db8c-8000 the port, of name-1234567 nothing.
local function of_deployment(text)
  local rest, port = text:match "^(.+)%-(%d+)$"
  for _, form in ipairs { { text }, port_of(port) and { rest, port_of(port) } } do
    local base, version = (form[1] or ""):match "^(.+)%-v(%d+)$"
    base = base or (form[1] or ""):match "^(.+)%-latest$" or form[1] or ""
    local name = of_base(base)
    if name then
      return { name = name, base = base, version = version or base ~= form[1] and "latest" or nil, port = form[2] }
    end
  end
end

--- What a label says; nil: it is none.
---@param text string
---@return beam.label?
function label.read(text)
  return of_stub(text) or of_container(text) or of_deployment(text)
end

return label
