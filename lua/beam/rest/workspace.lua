-- The id of the workspace that a token belongs to, which v1 wants in every path. Beam is asked once for each client; who wants it meanwhile
-- waits for the same answer. It is forgotten when Beam does not accept it any more.
local api = require "beam.rest.api"
local errors = require "beam.error"
local wait_for = require "beam.rest.look_up"

local workspace = {}

-- By the function that makes a client's credentials: another token may be of another workspace.
local known = setmetatable({}, { __mode = "k" }) ---@type table<function, { id: string?, look_up: beam.coroutine? }>

local function entry_of(settings)
  local entry = known[settings.credentials]
  if not entry then
    entry = {}
    known[settings.credentials] = entry
  end
  return entry
end

local function look_up(entry, settings)
  local answer, err = api.request(settings, "GET", "/api/v1/workspace/current")
  local id = type(answer) == "table" and (answer.external_id or answer.id)
  entry.look_up = nil
  if err then
    err.hint = err.status == 404 and "workspace = '…' says which, or api_version = 'v2' asks the public API" or err.hint
    return nil, err
  elseif type(id) ~= "string" or not id:find "^[0-9A-Za-z%-]+$" then
    local message = "Beam did not say which workspace the token is of"
    return nil, errors.new { kind = "http", message = message, body = answer, phase = "response" }
  end
  entry.id = id
  return id
end

--- Waits, if it is not known yet.
---@param settings beam.settings
---@param timeout number? seconds
---@return string? id
---@return beam.error? err
---@return boolean? fresh Beam was asked just now
function workspace.id(settings, timeout)
  local entry = not settings.workspace and entry_of(settings)
  if not entry or entry.id then
    return settings.workspace or entry.id, nil, false
  end
  local id, err = wait_for(entry, "id of the workspace", timeout, look_up, settings)
  return id, err, true
end

--- The id was not accepted. One that the client was told stays.
---@param settings beam.settings
---@param id string
function workspace.forget(settings, id)
  local entry = entry_of(settings)
  if entry.id == id then
    entry.id = nil
  end
end

return workspace
