-- What a local Beam may be told (docs/serve.md), checked.
local ascii = require "beam.base.ascii"
local local_token = require "beam.settings.local_token"
local secrets = require "beam.settings.secrets"
local url = require "beam.serve.url"

local options_of = {}

---@class beam.serve.options
---@field host string? default 127.0.0.1
---@field tls { cert: string, key: string, key_passphrase: string? }|boolean|nil PEM files; true: a certificate of its own; else plain
---@field port integer? default 0: a free one
---@field token string|true|nil demanded; true: one of its own, which scripts on this machine find; without this and basic: none
---@field foreign_token string? one of another workspace's: 401 "Invalid token"
---@field basic { id: string, secret: string }? demanded as HTTP Basic credentials
---@field workspace string? the id of the one workspace, a UUID
---@field allow_host string[]? names that a Host may have beside loopback's, "dev.example", "*.dev.example"
---@field allow_origin string[]? origins of pages that may ask beside loopback's, "https://dev.example"; "*": all
---@field ping number? seconds between app pings, default 5
---@field websocket_ping number? seconds between WebSocket pings, and for the pong, default 20
---@field pause number? seconds after each input of a realtime app, default 0.1
---@field close_timeout number? seconds for clients to answer a close, default 2
---@field max_body integer? bytes of a request body, default 64 MiB; then 413
---@field max_head integer? bytes of a request's head, default and at most 16 KiB; then 431
---@field max_connections integer? default 10,000 and what the process may open; realtime connections do not count
---@field head_timeout number? seconds for a request's head, default 30; then 408
---@field body_timeout number? seconds for each 16 KiB of a body, default 30; then 408
---@field idle_timeout number? seconds between requests, default 75
---@field log fun(level: string, line: string)?
---@field fault string|table|nil faults on demand: "cold=3s,slots=1" (docs/serve.md)
---@field random (fun(): number)? what chances and ranges are drawn with, default math.random
local defaults = {
  host = "127.0.0.1",
  port = 0,
  ping = 5, -- seconds between app pings
  websocket_ping = 20, -- seconds between WebSocket pings, and for the pong
  pause = 0.1, -- seconds after each input of a realtime app
  close_timeout = 2, -- seconds for clients to answer a close
  workspace = "10ca1bea-0000-4000-8000-000000000001", -- the id of the one workspace
  allow_host = {}, -- names beside those of loopback, "*.dev.example" with all below
  allow_origin = {}, -- origins beside those of loopback, "https://dev.example"
  random = math.random, -- what faults are drawn with: a number from 0 up to 1
}
local known = { tls = true, token = true, foreign_token = true, basic = true, log = true, fault = true }

-- What the core has defaults for: whole numbers of bytes or connections, and seconds.
local counts = { max_body = true, max_head = true, max_connections = true }
local times = { head_timeout = true, body_timeout = true, idle_timeout = true }

local function check_limits(options)
  for name in pairs(counts) do
    local value = options[name]
    if value ~= nil and (type(value) ~= "number" or value < 1 or value % 1 ~= 0 or value >= 2 ^ 53) then
      error(("app:listen: %s wants a whole number above 0"):format(name), 4)
    end
  end
  for name in pairs(times) do
    local value = options[name]
    if value ~= nil and (type(value) ~= "number" or not (value > 0 and value < 4e6)) then
      error(("app:listen: %s wants a number of seconds above 0"):format(name), 4)
    end
  end
end

local function check_lists(options)
  for _, name in ipairs { "allow_host", "allow_origin" } do
    local list = options[name]
    if type(list) ~= "table" then
      error(("app:listen: %s wants a list of texts"):format(name), 4)
    end
    for _, text in ipairs(list) do
      if type(text) ~= "string" then
        error(("app:listen: %s wants a list of texts"):format(name), 4)
      end
    end
  end
end

local function check_token(options)
  if options.token == true then
    options.token, options.own_token = local_token.make(), true
  elseif options.token ~= nil and type(options.token) ~= "string" then
    error("app:listen: token wants a text, or true for one of its own", 4)
  end
end

local tls_texts = { cert = true, key = true, key_passphrase = true }

local function is_tls(tls)
  if type(tls) ~= "table" then
    return tls == nil or type(tls) == "boolean"
  end
  for name, value in pairs(tls) do
    if not tls_texts[name] or type(value) ~= "string" then
      return false
    end
  end
  return tls.cert ~= nil and tls.key ~= nil
end

local function check_tls(options)
  local tls = options.tls
  if not is_tls(tls) then
    error("app:listen: tls wants { cert = FILE, key = FILE, key_passphrase = }, or true", 4)
  elseif type(tls) == "table" then
    secrets.learn(tls.key_passphrase)
  end
end

--- The options of a server, with their defaults. Raises what is wrong with them.
---@param given beam.serve.options?
---@return beam.serve.options
function options_of.check(given)
  local options = {}
  for name, value in pairs(defaults) do
    options[name] = value
  end
  for name, value in pairs(given or {}) do
    if defaults[name] == nil and not (known[name] or counts[name] or times[name]) then
      error("app:listen: unknown option '" .. tostring(name) .. "'", 3)
    end
    options[name] = value
  end
  if type(options.workspace) ~= "string" or not url.is_uuid(options.workspace) then
    error("app:listen: workspace wants a UUID", 3)
  end
  options.workspace = ascii.lower(options.workspace)
  check_lists(options)
  check_token(options)
  check_tls(options)
  check_limits(options)
  local basic = options.basic
  if basic and not (type(basic.id) == "string" and type(basic.secret) == "string") then
    error("app:listen: basic wants {id=, secret=}", 3)
  end
  return options
end

return options_of
