-- From a target to a URL (docs/wire.md section 2).
--
-- A target is a full URL; a deployment's name, "name/v3", "name/latest"; an id (UUID); a label (settings/label.lua); or a table
-- {name=|id=|url=, version=, kind=, port=, public=, path=}, whose id may be a UUID or any label. Beam itself serves ids and labels as
-- {label}.app.beam.cloud; any other gateway is asked by path.
local label = require "beam.settings.label"
local mistake = require "beam.base.mistake"
local percent = require "beam.base.percent"

local address = {}

---@class beam.target
---@field name string?
---@field id string? a UUID or a label
---@field url string?
---@field version integer|string|nil 3, "v3" or "latest"
---@field kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil
---@field port integer? of a pod
---@field public boolean? the deployment needs no token, and is sent none
---@field path string? below the address, with or without a query
address.fields = { name = true, id = true, url = true, version = true, kind = true, port = true, public = true, path = true }

local texts = { "name", "id", "url", "path" }
local kinds = { asgi = true, endpoint = true, taskqueue = true, ["function"] = true, schedule = true, pod = true, bot = true }
local with_paths = { asgi = true, pod = true }
local never_public = { ["function"] = true, schedule = true }
local beam_gateway, beam_domain = "https://app.beam.cloud", "app.beam.cloud"

local function fail(format, ...)
  mistake("beam: " .. format:format(...))
end

-- ---- Reading a target ----

local function read_version(version)
  local number = type(version) == "number" and version or tonumber(tostring(version):match "^v?(%d+)$")
  if version == nil or version == "latest" then
    return version
  elseif number and number >= 1 and number < 2 ^ 53 and number % 1 == 0 then
    return ("v%d"):format(number)
  end
  fail("a version is a number, 'v3' or 'latest', not '%s'", tostring(version))
end

local function read_string(text)
  if text == "" then
    fail "a target cannot be an empty string"
  elseif text:find "^[A-Za-z][0-9A-Za-z+.-]*://" then
    return { url = text }
  elseif label.read(text) then
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
  elseif given[1] and type(given[1]) ~= "string" and type(given[1]) ~= "table" then
    fail("a target is a string or a table, not a %s", type(given[1]))
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

local function check_port(port)
  if port ~= nil and not (type(port) == "number" and port % 1 == 0 and port > 0 and port < 65536) then
    fail("a port is a number from 1 to 65535, not '%s'", tostring(port))
  end
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
  check_port(target.port)
  local told = target.id and label.read(target.id)
  target.kind = target.kind or told and (told.kind or told.port and "pod") or target.port and "pod" or kind
  if not kinds[target.kind] and target.kind ~= "sandbox" then
    fail("'%s' is no kind: asgi, endpoint, taskqueue, function, schedule, pod or bot", tostring(target.kind))
  end
  return target
end

-- ---- Writing a URL ----

local function port_of(target)
  local port = target.port
  if target.kind == "pod" and not port then
    fail "a pod is reached by a port: port = 8000"
  elseif port and target.kind ~= "pod" then
    fail("a port is for pods; this is of kind %s", target.kind)
  end
  return port and ("/%d"):format(port) or ""
end

local function of_name(target, gateway)
  if target.public then
    fail "a public address needs the id of the deployment, not its name"
  end
  local version = target.version and "/" .. target.version or ""
  if version == "" and target.kind == "asgi" and (target.path or ""):find "^/?v%d+" then
    version = "/latest" -- or else /v1/models would be version 1, and a path /models
  end
  return ("%s/%s/%s%s%s"):format(gateway, target.kind, percent.encode(target.name), version, port_of(target))
end

local function of_uuid(target, gateway)
  if target.version then
    fail "an id names one version: leave the version out"
  elseif target.public and never_public[target.kind] then
    fail("a %s has no public address", target.kind)
  elseif target.public then
    return ("%s/%s/public/%s%s"):format(gateway, target.kind, target.id, port_of(target))
  elseif gateway == beam_gateway then
    return ("https://%s%s.%s"):format(target.id, port_of(target):gsub("/", "-"), beam_domain)
  end
  return ("%s/%s/id/%s%s"):format(gateway, target.kind, target.id, port_of(target))
end

-- On Beam: the label, with what it does not say itself behind it.
local function beam_host(target, told)
  local version = target.version and not told.version and "-" .. target.version or ""
  local port = target.port and not told.port and ("-%d"):format(target.port) or ""
  return ("https://%s%s%s.%s"):format(target.id, version, port, beam_domain)
end

-- On any other gateway: what the label means, as a path.
local function path_of_label(target, told, gateway)
  local version = told.version and told.version:gsub("^%d", "v%0") or target.version
  local port = told.port or target.port
  if told.container then
    local way = "%s/pod/container/%s/%s/%d"
    return way:format(gateway, told.stub, told.container, port or fail "a container is reached by a port: port = 8000")
  elseif told.stub then
    return of_uuid({ id = told.stub, kind = target.kind, port = port }, gateway)
  elseif told.name then
    return of_name({ name = told.name, version = version, kind = target.kind, port = port, path = target.path }, gateway)
  end
  return ("%s/%s/id/%s"):format(gateway, target.kind, target.id)
end

local function of_label(target, gateway)
  local told = label.read(target.id) or {}
  if not target.id:find "^[0-9A-Za-z%-]+$" then
    fail("'%s' is neither an id nor a label", target.id)
  elseif target.public then
    fail "a public address needs the id of the deployment, not its label"
  elseif told.stub and target.version then
    fail "an id names one version: leave the version out"
  elseif told.version and target.version and told.version ~= target.version:gsub("^v", "") then
    fail("the label %s names a version, and version = %s another", target.id, target.version)
  elseif told.port and target.port and told.port ~= target.port then
    fail("the label %s names a port, and port = %d another", target.id, target.port)
  end
  return gateway == beam_gateway and beam_host(target, told) or path_of_label(target, told, gateway)
end

local function of_url(target)
  if target.url:find "^[A-Za-z]+://[^/?#]*@" then
    fail "credentials do not belong into a URL, where they leak: use token or basic"
  elseif not target.url:find "^[a-z]+://[^/?#%s][!-~\128-\255]*$" then
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
  elseif label.is_uuid(target.id) then
    return of_uuid(target, gateway)
  end
  return of_label(target, gateway)
end

local function with_path(url, target)
  local path = target.path
  if not path or path == "" then
    return url
  elseif not target.url and not path:find "^%?" and path ~= "/" and not with_paths[target.kind] then
    fail("only asgi and pods take a path below their address; this is of kind %s", target.kind)
  elseif target.url and url:find "[?#]" then
    fail "a URL with a query takes no path behind it: write all of it into the URL"
  elseif not path:find "^[/?]" then
    path = "/" .. path
  end
  return url:gsub("/$", "") .. path
end

local as_http = { ws = "http", wss = "https", http = "http", https = "https" }
local as_ws = { ws = "ws", wss = "wss", http = "ws", https = "wss" }

--- What a target says, without an address being made of it. Raises for what is no target.
---@param given string|beam.target
---@param kind string the kind where the target does not say
---@return beam.target
function address.read(given, kind)
  local target = read(given, kind)
  if target.url then
    of_url(target)
  end
  return target
end

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
  local scheme, rest = url:match "^([a-z]+)(://.*)$"
  local wanted = (use == "ws" and as_ws or as_http)[scheme]
  if not wanted then
    fail("'%s' is no http, https, ws or wss URL", url)
  end
  resolved.public = resolved.public or kinds[url:match "^[a-z]+://[^/]+/([a-z]+)/public/"] or false
  if not rest:find "^://[^/?#]+[/?#]" then
    rest = rest .. "/"
  end
  return wanted .. rest, resolved
end

return address
