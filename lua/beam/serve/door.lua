-- Who may knock at all. A page of another site must not reach the local Beam of whoever looks at it: the Host must be a name of ours (else
-- a name of the attacker's may have been pointed at this machine), and the Origin one that is allowed; on every route, upgrades included.
local ascii = require "beam.base.ascii"

local door = {}

local lower = ascii.lower

-- "LocalHost.:1994" -> "localhost", "[::1]:1994" -> "::1"; nil: it is no authority.
local function host_of(authority)
  local host = authority:match "^%[([%x:.]+)%]:?%d*$" or authority:match "^([A-Za-z0-9._-]+):?%d*$"
  return host and lower(host):gsub("%.$", "")
end

local function is_loopback(host)
  return host == "localhost" or host == "::1" or host:find "%.localhost$" ~= nil or host:find "^127%.%d+%.%d+%.%d+$" ~= nil
end

local function is_address(host)
  return host:find "^%d+%.%d+%.%d+%.%d+$" ~= nil or host:find(":", 1, true) ~= nil
end

local wildcards = { ["0.0.0.0"] = true, ["::"] = true }

-- Names that nobody but Beam can point at this machine; an address is no name, and means who listens on it.
local function is_own(options, host)
  local listened = options.host
  return host == listened or wildcards[listened] and is_address(host) or host == "app.beam.cloud" or host:find "%.app%.beam%.cloud$" ~= nil
end

-- "dev.example", "*.dev.example"
local function is_listed(list, text)
  for _, allowed in ipairs(list) do
    local suffix = allowed:match "^%*(%..+)$"
    if allowed == "*" or lower(allowed) == text or suffix and text:sub(-#suffix) == lower(suffix) then
      return true
    end
  end
  return false
end

local function host_is_good(options, authority)
  local host = host_of(authority)
  return host ~= nil and (is_loopback(host) or is_own(options, host) or is_listed(options.allow_host, host))
end

local function origin_is_good(options, origin, authority)
  local rest = origin:match "^https?://([^/]+)$"
  local host = rest and host_of(rest)
  return host and is_loopback(host) or rest ~= nil and rest == authority or is_listed(options.allow_origin, lower(origin))
end

-- Images, scripts and forms of another site come without an Origin; what a browser says of them stands in Sec-Fetch-*. A link may lead to
-- the page and to a file that was handed out.
local function is_foreign_without_origin(headers, path)
  if headers["sec-fetch-site"] ~= "cross-site" then
    return false
  end
  return headers["sec-fetch-mode"] ~= "navigate" or not (path == "/" or path:find "^/output/")
end

--- Whether a request may come in.
---@param options beam.serve.options with host, allow_host, allow_origin
---@param headers table<string, string> names in lower case
---@param path string
---@return boolean? allowed, string? message why not, and what allows it
function door.check(options, headers, path)
  local authority, origin = lower(headers.host or ""), headers.origin
  if headers.host and not host_is_good(options, authority) then
    return nil, "Forbidden: the Host of the request is no name of this local Beam; --allow-host NAME lets it in"
  elseif origin and not origin_is_good(options, lower(origin), authority) then
    return nil, "Forbidden: a page of this Origin may not use this local Beam; --allow-origin ORIGIN lets it in"
  elseif not origin and is_foreign_without_origin(headers, path) then
    return nil, "Forbidden: a page of another site may not use this local Beam; --allow-origin ORIGIN lets it in"
  end
  return true
end

--- Beam's gateway lets pages read its answers: what an answer to an allowed Origin says of it.
---@param origin string
---@return string[][] headers
function door.cors(origin)
  return {
    { "access-control-allow-origin", origin },
    { "access-control-expose-headers", "X-Task-Id" },
    { "vary", "Origin" },
  }
end

--- Whether it is the question of a browser before the request itself.
---@return boolean
function door.is_preflight(method, headers)
  return method == "OPTIONS" and headers.origin ~= nil and headers["access-control-request-method"] ~= nil
end

--- The headers of the answer to a preflight, besides those of `cors`.
---@param headers table<string, string> of the request
---@return string[][]
function door.preflight(headers)
  local list = {
    { "access-control-allow-methods", "GET,HEAD,PUT,PATCH,POST,DELETE" },
    { "access-control-max-age", "600" },
  }
  if headers["access-control-request-headers"] then
    list[#list + 1] = { "access-control-allow-headers", headers["access-control-request-headers"] }
  end
  if headers["access-control-request-private-network"] then
    list[#list + 1] = { "access-control-allow-private-network", "true" }
  end
  return list
end

return door
