-- Ids. Addresses are made of a stub's id, and what Beam lists and shows is the deployment's: where the gateway does not know an id, the
-- API is asked whose it is, once, and the call goes to that address.
local address = require "beam.settings.target"
local driver = require "beam.driver"
local stub_id_of = require("beam.rest.stub").stub_id

local known_id = {}

local stubs, count = {}, 0 -- by gateway, kind and id
local most = 1000

local uses = {
  endpoint = "beam.call",
  asgi = "beam.realtime",
  taskqueue = "beam.submit",
  ["function"] = "beam.submit",
  schedule = "beam.submit",
}

local function key(settings, target)
  return settings.gateway .. " " .. target.kind .. " " .. target.id
end

local function remember(settings, target, stub)
  if count >= most then
    stubs, count = {}, 0
  end
  stubs[key(settings, target)], count = stub, count + 1
end

local function is_uuid(target)
  return target.id ~= nil and target.id:find "^%x+%-%x+%-%x+%-%x+%-%x+$" ~= nil
end

-- What the gateway says of an id that is no stub's of this kind.
local function is_unknown(err)
  return err.executed == "no" and (err.status == 400 and tostring(err.message):find "[Ii]nvalid stub" ~= nil or err.status == 404)
end

local function look_up(settings, target, err, left)
  local id = target.id
  local record = require("beam.rest.api").of(settings).deployment(settings, id, { timeout = left, retry = false })
  local stub = record and stub_id_of(record)
  local kind = record and tostring(record.stub_type):match "^[^/]+"
  if stub and kind == target.kind and stub ~= id then
    remember(settings, target, stub)
    return true
  elseif kind and uses[kind] and kind ~= target.kind then
    local text = "this is the id of '%s', a deployment of kind %s: see %s"
    err.hint = text:format(tostring(record.name), kind, uses[kind])
  end
  return false
end

--- The address of a target, if another id than the one it has is known to be right.
---@param settings beam.settings
---@param target beam.target resolved
---@param use "http"|"ws"
---@return string? url
function known_id.url(settings, target, use)
  local stub = is_uuid(target) and stubs[key(settings, target)]
  if stub then
    local better = { id = stub, kind = target.kind, public = target.public or nil, path = target.path }
    return (address.resolve(better, target.kind, use, settings.gateway))
  end
end

--- Whether the API, asked because of this error, knows a better address; else its hint may say what the id is of.
---@param settings beam.settings
---@param target beam.target resolved
---@param err beam.error
---@param left number? seconds
---@return boolean
function known_id.find(settings, target, err, left)
  if not is_uuid(target) or not is_unknown(err) or stubs[key(settings, target)] then
    return false
  end
  return look_up(settings, target, err, left)
end

--- One attempt that is made again, at the right address, if the gateway did not know the id.
---@param settings beam.settings
---@param target beam.target
---@param prepared beam.core.http_options its url is changed
---@param spent (fun(): boolean)? true: what was to be sent is gone
---@param try fun(auth: beam.core.auth, left: number): any, beam.error?, beam.response?
---@return fun(auth: beam.core.auth, left: number): any, beam.error?, beam.response?
function known_id.trying(settings, target, prepared, spent, try)
  if not is_uuid(target) then
    return try
  end
  prepared.url = known_id.url(settings, target, "http") or prepared.url
  return function(auth, left)
    local deadline = driver.now() + left
    local function remaining()
      return math.max(0.001, deadline - driver.now())
    end
    local result, err, response = try(auth, left)
    if err and known_id.find(settings, target, err, remaining()) and not (spent and spent()) then
      prepared.url = known_id.url(settings, target, "http")
      return try(auth, remaining())
    end
    return result, err, response
  end
end

return known_id
