-- The token that a local Beam made for itself, kept where only its user can read it: a script of the same user on the same machine need
-- not be told. One file for each port: in XDG_RUNTIME_DIR, else in ~/.beam, also where the environment has no HOME (nginx clears it). Its
-- lines are the token and the number of the process, so that a file which a killed one left behind is of no use.
local local_token = {}

local function lives(process)
  return require("beam.core").process_lives(process)
end

-- Where a file may be, and the folder to be made for it.
local function places(getenv, port, home_of_user)
  local list = {}
  local runtime, home = getenv "XDG_RUNTIME_DIR", getenv "HOME" or getenv "USERPROFILE" or home_of_user and home_of_user()
  if runtime and runtime ~= "" then
    list[1] = { path = ("%s/beam-serve-%d"):format(runtime, port) }
  end
  if home and home ~= "" then
    list[#list + 1] = { path = ("%s/.beam/serve-%d"):format(home, port), folder = home .. "/.beam" }
  end
  return list
end

-- The port of a URL that is loopback's; nil: it is another's.
local function port_of(gateway)
  local host, port = gateway:match "^https?://(%[[%x:]+%]):?(%d*)"
  if not host then
    host, port = gateway:match "^https?://([^:/?#]+):?(%d*)"
  end
  local is_loopback = host and (host:find "^127%.%d+%.%d+%.%d+$" or host == "[::1]" or host == "localhost" or host:find "%.localhost$")
  local number = tonumber(port) or (gateway:find "^https" and 443 or 80)
  return is_loopback and number < 65536 and number or nil
end

--- The token of the local Beam at this gateway, if one of this user's serves there.
---@param sys { getenv: fun(name: string): string?, read: fun(path: string): string?, home: (fun(): string?)? }
---@param gateway string
---@return string? token, string? path of its file
function local_token.find(sys, gateway)
  local port = port_of(gateway)
  for _, place in ipairs(port and places(sys.getenv, port, sys.home) or {}) do
    local text = sys.read(place.path)
    local token, process = (text or ""):match "^([^%s]+)\n(%d+)\n$"
    if token and lives(tonumber(process)) then
      return token, place.path
    end
  end
end

--- A token that nobody can guess.
---@return string
function local_token.make()
  return "local-" .. require("beam.core").random(24):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
end

--- Keeps the token for a port, until remove.
---@param port integer
---@param token string
---@return string? path, string? message
function local_token.keep(port, token)
  local core = require "beam.core"
  local problem = "neither XDG_RUNTIME_DIR nor HOME is set"
  for _, place in ipairs(places(os.getenv, port, core.home)) do
    local ok, message = true, nil
    if place.folder then
      ok, message = core.private_folder(place.folder)
    end
    if ok then
      ok, message = core.write_private(place.path, ("%s\n%d\n"):format(token, core.process()))
    end
    if ok then
      return place.path
    end
    problem = message
  end
  return nil, problem
end

--- Forgets a file that keep has made.
---@param path string
function local_token.remove(path)
  os.remove(path)
end

return local_token
