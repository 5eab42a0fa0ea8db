-- Which deployment a request means (docs/wire.md section 2): by path, /asgi/echo/v3, or by the first label of its Host,
-- echo-7a7db8c-v3.app.beam.localhost. There is one workspace here, so any seven characters do in a label.
local ascii = require "beam.base.ascii"
local url = require "beam.serve.url"

local route = {}

local kinds = { asgi = true, endpoint = true, taskqueue = true, ["function"] = true, schedule = true }

-- "rest" is what follows the address: the sub-path that belongs to the app.
local function by_path(path)
  local kind, rest = path:match "^/([A-Za-z]+)(/.+)$"
  if not kinds[kind] then
    return nil
  end
  local form, id, sub = rest:match "^/([A-Za-z]+)/([^/]+)(.*)$"
  if form == "id" or (form == "public" and kind ~= "function") then
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

local function by_label(label)
  if url.is_uuid(label) then
    return { id = label }
  end
  local version = tonumber(label:match "%-v(%d+)$")
  local base = label:gsub("%-v%d+$", ""):gsub("%-latest$", "")
  local name = base:match("^(.+)%-" .. ("[0-9A-Za-z]"):rep(7) .. "$")
  return name and { name = name, version = version }
end

--- Reads an address. `host` is the Host header or nil, `exists(address)` tells whether there is such a deployment.
--- Returns {kind=, name=, version=, id=, public=, rest=, labelled=} or nil: no address at all.
function route.address(path, host, exists)
  local label, domain = ascii.lower(host or ""):match "^([^.:]+)%.([^:]+)"
  local address = label and by_label(label)
  -- A machine may be called dev-machine.local: only a domain of Beam's makes an unknown label an unknown deployment.
  if address and (exists(address) or domain:find "^app%." or domain:find "%.app%.") then
    address.labelled, address.rest = true, path
    return address
  end
  return by_path(path)
end

return route
