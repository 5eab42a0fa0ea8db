-- Percent-encoding, query strings and the ids Beam makes.
local compat = require "beam.base.compat"
local percent = require "beam.base.percent"

local url = {}

--- The host and what follows it of a request target in absolute form ("http://host:1994/path", RFC 9112 section 3.2.2); else nil and the
--- target.
---@param target string
---@return string? host, string target
function url.absolute(target)
  local host, rest = target:match "^[hH][tT][tT][pP][sS]?://([^/?#]*)(.*)$"
  if not host then
    return nil, target
  end
  return host, rest:sub(1, 1) == "/" and rest or "/" .. rest
end

local function unescape_plus(text)
  return percent.decode((text:gsub("+", " ")))
end

--- The path (decoded) of a request target and its query parameters: {name = value, …}, where the last of several values wins, and
--- {name = {value, …}, …}.
---@param target string
---@return string path, table<string, string> parameters, table<string, string[]> lists
function url.split(target)
  local path, query = target:match "^([^?#]*)%??([^#]*)"
  local parameters, lists = {}, {}
  for escaped_name, escaped_value in query:gmatch "([^&=]+)=?([^&]*)" do
    local name, value = unescape_plus(escaped_name), unescape_plus(escaped_value)
    parameters[name], lists[name] = value, lists[name] or {}
    table.insert(lists[name], value)
  end
  return percent.decode(path), parameters, lists
end

local hex = "%x%x%x%x"
local uuid_pattern = "^" .. hex .. hex .. "%-" .. hex .. "%-" .. hex .. "%-" .. hex .. "%-" .. hex .. hex .. hex .. "$"

function url.is_uuid(s)
  return s:find(uuid_pattern) ~= nil
end

local random_bytes = {}

-- Ids need to be unlike each other across processes, which math.random is not on Lua 5.1.
local function random_byte()
  if #random_bytes == 0 then
    local file = io.open("/dev/urandom", "rb")
    local bytes = file and file:read(256)
    if file then
      file:close()
    end
    for i = 1, 256 do
      random_bytes[i] = bytes and bytes:byte(i) or math.random(0, 255)
    end
  end
  return table.remove(random_bytes)
end

--- A random UUID (RFC 4122, version 4).
function url.uuid()
  local bytes = {}
  for i = 1, 16 do
    bytes[i] = random_byte()
  end
  bytes[7] = 64 + bytes[7] % 16
  bytes[9] = 128 + bytes[9] % 64
  local groups = ("%02x"):rep(4) .. ("-%02x%02x"):rep(3) .. "-" .. ("%02x"):rep(6)
  return groups:format(compat.unpack(bytes))
end

return url
