-- From a target to a URL (docs/wire.md section 2).
--
-- A target is a full URL; a deployment's name, "name/v3", "name/latest"; an id (UUID); a label (name-7a7db8c,
-- name-7a7db8c-v2); or a table {name=|id=|url=, version=, kind=, public=, path=}, whose id may be a UUID or any label.
-- Beam itself serves ids and labels as {label}.app.beam.cloud; any other gateway is asked by path.
local mistake = require "beam.mistake"

local address = {}

---@class beam.target
---@field name string?
---@field id string? a UUID or a label
---@field url string?
---@field version integer|string|nil 3, "v3" or "latest"
---@field kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|nil
---@field public boolean? the deployment needs no token, and is sent none
---@field path string? below the address, with or without a query
address.fields = { name = true, id = true, url = true, version = true, kind = true, public = true, path = true }

local texts = { "name", "id", "url", "path" }
local kinds = { asgi = true, endpoint = true, taskqueue = true, ["function"] = true, schedule = true }
local beam_gateway, beam_domain = "https://app.beam.cloud", "app.beam.cloud"

local hex = "%x%x%x%x"
local uuid = "^" .. hex .. hex .. ("%-" .. hex):rep(4) .. hex .. hex .. "$"

local function fail(format, ...)
  mistake("beam: " .. format:format(...))
end

-- ---- Reading a target ----

-- The seven characters are a hash: with a digit among them, or else a name like image-resizer would be a label.
local function split_label(text)
  local base, version = text:match "^(.+)%-v(%d+)$"
  base = base or text:match "^(.+)%-latest$" or text
  local name, hash = base:match "^([%l%d%-]+)%-([%l%d][%l%d][%l%d][%l%d][%l%d][%l%d][%l%d])$"
  if name and hash:find "%d" then
    return name, version or (base ~= text and "latest" or nil)
  end
end

local function read_version(version)
  local number = type(version) == "number" and version or tonumber(tostring(version):match "^v?(%d+)$")
  if version == nil or version == "latest" then
    return version
  elseif number and number >= 1 and number % 1 == 0 then
    return ("v%d"):format(number)
  end
  fail("a version is a number, 'v3' or 'latest', not '%s'", tostring(version))
end

local function read_string(text)
  if text == "" then
    fail "a target cannot be an empty string"
  elseif text:find "^%a[%w+.-]*://" then
    return { url = text }
  elseif text:find(uuid) or split_label(text) then
    return { id = text }
  end
  local name, version = text:match "^([^/]+)/([^/]+)$"
  if not name and text:find "/" then
    fail("'%s' is no target: a URL needs its scheme (https://…), a name takes one version (name/v3)", text)
  end
  return { name = name or text, version = version }
end

-- {"name", version = 3}, {name = "name/v3"}, {id = …}: the fields of the table stand over what its string says.
local function read_table(given)
  local forms = (given[1] and 1 or 0) + (given.name and 1 or 0) + (given.id and 1 or 0) + (given.url and 1 or 0)
  if forms ~= 1 then
    fail "a target has exactly one of name, id and url"
  end
  for _, field in ipairs(texts) do
    if given[field] ~= nil and type(given[field]) ~= "string" then
      fail("a target's %s is a string, not a %s", field, type(given[field]))
    end
  end
  local target = {}
  if type(given[1]) == "table" then
    target = read_table(given[1])
  elseif given[1] then
    target = read_string(given[1])
  elseif given.name then
    local name, version = given.name:match "^([^/]+)/([^/]+)$"
    target = { name = name or given.name, version = version }
  end
  for field in pairs(address.fields) do
    if field ~= "name" and given[field] ~= nil then
      target[field] = given[field]
    end
  end
  return target
end

local function read(given, kind)
  local target
  if type(given) == "string" then
    target = read_string(given)
  elseif type(given) == "table" then
    target = read_table(given)
  else
    fail("a target is a string or a table, not a %s", type(given))
  end
  target.version = read_version(target.version)
  target.kind = target.kind or kind
  if not kinds[target.kind] then
    fail("'%s' is no kind: asgi, endpoint, taskqueue, function or schedule", tostring(target.kind))
  end
  return target
end

-- ---- Writing a URL ----

local function escape(name)
  return (name:gsub("[^%w%-._~]", function(character)
    return ("%%%02X"):format(character:byte())
  end))
end

local function of_name(target, gateway)
  if target.public then
    fail "a public address needs the id of the deployment, not its name"
  end
  local version = target.version and "/" .. target.version or ""
  return ("%s/%s/%s%s"):format(gateway, target.kind, escape(target.name), version)
end

local function of_uuid(target, gateway)
  if target.version then
    fail "an id names one version: leave the version out"
  elseif target.public and target.kind == "function" then
    fail "a function has no public address"
  elseif target.public then
    return ("%s/%s/public/%s"):format(gateway, target.kind, target.id)
  elseif gateway == beam_gateway then
    return ("https://%s.%s"):format(target.id, beam_domain)
  end
  return ("%s/%s/id/%s"):format(gateway, target.kind, target.id)
end

local function of_label(target, gateway)
  local name, version = split_label(target.id)
  if not target.id:find "^[%w%-]+$" then
    fail("'%s' is neither an id nor a label", target.id)
  elseif target.public then
    fail "a public address needs the id of the deployment, not its label"
  elseif version and target.version and version ~= target.version:gsub("^v", "") then
    fail("the label %s names a version, and version = %s another", target.id, target.version)
  end
  if gateway == beam_gateway then
    local suffix = target.version and not version and "-" .. target.version or ""
    return ("https://%s%s.%s"):format(target.id, suffix, beam_domain)
  elseif not name then
    return ("%s/%s/id/%s"):format(gateway, target.kind, target.id)
  end
  version = version and version:gsub("^%d", "v%0") or target.version
  return of_name({ name = name, version = version, kind = target.kind }, gateway)
end

local function of_url(target)
  if target.url:find "^%a+://[^/?#]*@" then
    fail "credentials do not belong into a URL, where they leak: use token or basic"
  elseif not target.url:find "^%l+://[^/?#%s%c][^%s%c]*$" then
    fail("'%s' is no http, https, ws or wss URL", target.url)
  elseif target.version then
    fail "a URL already says which version"
  end
  return target.url
end

local function base(target, gateway)
  if target.url then
    return of_url(target)
  elseif target.name then
    return of_name(target, gateway)
  elseif target.id:find(uuid) then
    return of_uuid(target, gateway)
  end
  return of_label(target, gateway)
end

local function with_path(url, target)
  local path = target.path
  if not path or path == "" then
    return url
  elseif not target.url and not path:find "^%?" and path ~= "/" and target.kind ~= "asgi" then
    fail("only asgi takes a path below its address; this is of kind %s", target.kind)
  elseif not path:find "^[/?]" then
    path = "/" .. path
  end
  return url:gsub("/$", "") .. path
end

local as_http = { ws = "http", wss = "https", http = "http", https = "https" }
local as_ws = { ws = "ws", wss = "wss", http = "ws", https = "wss" }

--- Raises for what is no target.
---@param target string|beam.target
---@param kind string the kind where the target does not say
---@param use "http"|"ws" what it is for
---@param gateway string "https://app.beam.cloud", no slash at the end
---@return string url
---@return beam.target resolved
function address.resolve(target, kind, use, gateway)
  local resolved = read(target, kind)
  local url = with_path(base(resolved, gateway), resolved)
  local scheme, rest = url:match "^(%l+)(://.*)$"
  local wanted = (use == "ws" and as_ws or as_http)[scheme]
  if not wanted then
    fail("'%s' is no http, https, ws or wss URL", url)
  end
  resolved.public = resolved.public or kinds[url:match "^%l+://[^/]+/(%l+)/public/"] or false
  if not rest:find "^://[^/?#]+[/?#]" then
    rest = rest .. "/"
  end
  return wanted .. rest, resolved
end

return address
