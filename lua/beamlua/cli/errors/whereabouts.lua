-- What was meant by the name of a deployment that Beam does not know: it is of another kind, or a name near it. Asked of Beam only after a
-- failure, with little patience: an answer that does not come leaves the error as it was.
local suggest = require "beam.base.suggest"

local whereabouts = {}

local patience = 3 -- seconds
local most = 500 -- names that are looked at

local commands = {
  endpoint = "beamlua call",
  asgi = "beamlua realtime",
  taskqueue = "beamlua submit",
  ["function"] = "beamlua submit --kind function",
}

-- What the gateway says of an address without a deployment.
local function is_unknown(err)
  return err.executed == "no" and (err.status == 404 or err.status == 400 and err.message:find("Invalid deployment", 1, true) ~= nil)
end

local function name_of(target)
  return not target:find "://" and target:match "^([^/]+)"
end

local function of_other_kind(client, name, kind)
  local found = client.deployments({ name = name, limit = 1, timeout = patience }):next()
  if found and found.kind ~= kind and commands[found.kind] then
    return ("'%s' is of kind %s: %s %s"):format(name, found.kind, commands[found.kind], name)
  end
  return found and "" or nil
end

local function near(client, name, kind)
  local names = {}
  local list = client.deployments { kind = kind, active = true, limit = most, timeout = patience }
  local item = list:next()
  while item do
    names[tostring(item.name)] = true
    item = list:next()
  end
  local meant = suggest(name, names)
  return meant and ("did you mean '%s'?"):format(meant)
end

--- Gives the error a hint that says what was meant.
---@param client beam.client
---@param target string as it was written
---@param kind string what the command is for
---@param err beam.error
function whereabouts.explain(client, target, kind, err)
  local name = is_unknown(err) and name_of(target)
  if not name then
    return
  end
  local ok, hint = pcall(of_other_kind, client, name, kind)
  if ok and not hint then
    ok, hint = pcall(near, client, name, kind)
  end
  if ok and hint and hint ~= "" then
    err.hint = hint
  end
end

return whereabouts
