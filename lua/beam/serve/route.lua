-- Which deployment a request means (docs/wire.md section 2): by path, /asgi/echo/v3, or by the first label of its Host,
-- echo-7a7db8c-v3.app.beam.localhost. There is one workspace here, so any seven characters do in a label.
local ascii = require "beam.base.ascii"
local url = require "beam.serve.url"

local route = {}

local kinds = { asgi = true, endpoint = true, taskqueue = true, ["function"] = true, schedule = true, pod = true, bot = true }

-- Of a pod the rest begins with its port: /8000/v1/models.
local function with_port(address)
  if address and address.kind == "pod" then
    local port, rest = address.rest:match "^/(%d+)(.*)$"
    address.port, address.rest = tonumber(port), rest or address.rest
  end
  return address
end

-- "rest" is what follows the address: the sub-path that belongs to the app.
local function by_path(path)
  local kind, rest = path:match "^/([A-Za-z]+)(/.+)$"
  if not kinds[kind] then
    return nil
  end
  local form, id, sub = rest:match "^/([A-Za-z]+)/([^/]+)(.*)$"
  if form == "container" and kind == "pod" then
    return { kind = kind, id = id, rest = sub:gsub("^/[^/]+", "") }
  elseif form == "id" or (form == "public" and kind ~= "function" and kind ~= "schedule") then
    return { kind = kind, id = id, public = form == "public", rest = sub }
  end
  local name, after = rest:match "^/([^/]+)(.*)$"
  if not name then
    return nil
  end
  local version, beyond = after:match "^/v(%d+)(.*)$"
  if version and (beyond == "" or beyond:sub(1, 1) == "/") then
    return { kind = kind, name = name, version = tonumber(version), rest = beyond }
  end
  if after:find "^/v[^/]*[^%d/][^/]*$" and not version then
    return { kind = kind, name = name, rest = after, bad_version = true }
  end
  local latest, past = after:match "^/(latest)(.*)$"
  if latest and (past == "" or past:sub(1, 1) == "/") then
    after = past
  end
  return { kind = kind, name = name, rest = after }
end

local uuid_length = 36

-- Behind an id, a container or a name may stand a port: echo-7a7db8c-v2-8000.
local function by_label(label)
  local alphanumeric = "[0-9a-z]"
  local container, container_port = label:match("^[a-z]+%-([0-9a-f-]+)%-" .. alphanumeric:rep(8) .. "%-(%d+)$")
  if container and url.is_uuid(container) then
    return { id = container, port = tonumber(container_port) }
  end
  local id, id_port = label:sub(1, uuid_length), label:sub(uuid_length + 1):match "^%-(%d+)$"
  if url.is_uuid(id) and (id_port or #label == uuid_length) then
    return { id = id, port = tonumber(id_port) }
  end
  local named, port = label:match("^(.+%-" .. alphanumeric:rep(7) .. "[-v0-9]*)%-([1-9]%d*)$")
  if not named or tonumber(port) > 65535 then -- what looks like one is the hash
    named, port = label, nil
  end
  local version = tonumber(named:match "%-v(%d+)$")
  local base = named:gsub("%-v%d+$", ""):gsub("%-latest$", "")
  local name = base:match("^(.+)%-" .. ("[0-9A-Za-z]"):rep(7) .. "$")
  return name and { name = name, version = version, port = tonumber(port), kind = port and "pod" or nil }
end

--- Reads an address. `host` is the Host header or nil, `exists(address)` tells whether there is such a deployment.
--- Returns {kind=, name=, version=, id=, public=, port=, rest=, labelled=} or nil: no address at all.
function route.address(path, host, exists)
  local label, domain = ascii.lower(host or ""):match "^([^.:]+)%.([^:]+)"
  local address = label and by_label(label)
  -- A machine may be called dev-machine.local: only a domain of Beam's makes an unknown label an unknown deployment.
  if address and (exists(address) or domain:find "^app%." or domain:find "%.app%.") then
    address.labelled, address.rest = true, path
    return address
  end
  return with_port(by_path(path))
end

return route
