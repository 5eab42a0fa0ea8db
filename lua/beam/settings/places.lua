-- Where Beam is: the gateway, and the REST API with its version. The argument, else the environment, else Beam's own.
local places = { gateway = "https://app.beam.cloud", api_versions = { v1 = true, v2 = true } }

local public_api = "https://api.beam.cloud"

local function is_url(url)
  return url:find "^https?://[^/@?#]+[^@?#]*$" ~= nil
end

local function without_user(url)
  return (url:gsub("//[^/]*@", "//…@"))
end

-- An option, else a variable of the environment, with where it comes from; nil if there is neither.
local function told(options, name, sys, variable)
  if options[name] then
    return options[name], "argument"
  end
  local value = sys.getenv(variable)
  if value and value ~= "" then
    return value, "environment " .. variable
  end
end

--- The URL of the gateway, and where it comes from.
---@param options beam.options
---@param sys { getenv: fun(name: string): string? }
---@return string url, string where
function places.find_gateway(options, sys)
  local url, where = told(options, "gateway", sys, "BEAM_GATEWAY_URL")
  local host = sys.getenv "API_HOST"
  if not url and host and host ~= "" then
    local port = sys.getenv "API_PORT"
    return (not port or port == "" or port == "443") and "https://" .. host or ("http://%s:%s"):format(host, port), "environment API_HOST"
  end
  return url or places.gateway, where or "default"
end

-- What is wrong with the places, in words; nil: nothing.
local function mistake(found)
  for _, name in ipairs { "gateway", "api" } do
    local url, where = found[name][1], found[name][2]
    if not is_url(url) then
      return ("the %s of the %s is no http:// or https:// URL: %s"):format(name, where, without_user(url))
    end
  end
  local version, where = found.api_version[1], found.api_version[2]
  if not places.api_versions[version] then
    return ("the api_version of the %s is neither v1 nor v2: %s"):format(where, version)
  end
end

--- What is not told of the API follows from the rest: v2, the public one, is for who has Beam's older keys or names its address; it is at
--- that address where the gateway is Beam's own. Another gateway is asked for either version itself.
---@param options beam.options
---@param sys { getenv: fun(name: string): string? }
---@param basic boolean client id and secret are what we have
---@return table<string, { [1]: string, [2]: string }>? found gateway, api and api_version, each with where it comes from
---@return string? problem
function places.find(options, sys, basic)
  local gateway, gateway_from = places.find_gateway(options, sys)
  local api, api_from = told(options, "api", sys, "BEAM_API_URL")
  local version, version_from = told(options, "api_version", sys, "BEAM_API_VERSION")
  gateway, api = gateway:gsub("/+$", ""), api and api:gsub("/+$", "")
  version = version or (basic or api == public_api) and "v2" or "v1"
  api = api or version == "v2" and gateway == places.gateway and public_api or gateway
  local found = {
    gateway = { gateway, gateway_from },
    api = { api, api_from or "default" },
    api_version = { version, version_from or "default" },
  }
  local problem = mistake(found)
  if problem then
    return nil, problem
  end
  return found
end

return places
