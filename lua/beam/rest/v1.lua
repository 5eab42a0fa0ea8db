-- The gateway's own API, as beta9 serves it: a workspace in every path, lists by pages with a cursor, tasks that can be watched.
local api = require "beam.rest.api"
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"
local percent = require "beam.base.percent"
local secrets = require "beam.settings.secrets"
local workspace = require "beam.rest.workspace"

local v1 = {}

-- ---- With the workspace's id ----

local may_be_the_workspace = { [400] = true, [401] = true, [403] = true, [404] = true }

-- Asks with a path that has the workspace's id at %s. An id from before may be wrong by now: a refusal is taken as the answer only if
-- Beam, asked again, still names the same.
local function request(settings, method, path, options)
  options = options or {}
  local deadline = options.timeout and driver.now() + options.timeout
  local id, err, fresh = workspace.id(settings, options.timeout)
  local tried, value
  while id and id ~= tried do
    options.timeout = api.left(deadline)
    value, err = api.request(settings, method, path:format(id), options)
    if not err or not may_be_the_workspace[err.status] then
      break
    end
    workspace.forget(settings, id)
    if fresh or settings.workspace then
      break
    end
    tried, id, fresh = id, workspace.id(settings, api.left(deadline)), true
  end
  return value, err
end

local function expect_object(value, err, what)
  if not err and (type(value) ~= "table" or json.is_array(value)) then
    return nil, errors.new { kind = "http", message = what .. ": Beam's answer is no object", body = value, phase = "response" }
  end
  return value, err
end

-- A page is {"data": […], "next": cursor}; older releases gave a bare array, which is all there is.
local function page(what, value, err)
  if err or type(value) ~= "table" or value.data == nil and value.next == nil then
    return api.list(what, value, err)
  end
  local records, problem = api.list(what, value.data)
  local cursor = value.next
  return records, problem or type(cursor) == "string" and cursor ~= "" and cursor or nil
end

-- ---- Tasks ----

---@return table? record, beam.error? err
function v1.task(settings, id, options)
  local value, err = request(settings, "GET", "/api/v1/task/%s/" .. id, options)
  return expect_object(value, err, "task " .. id)
end

--- Ids go into the query: a body, which the JavaScript SDK sends, is not read.
---@return true? done, beam.error? err
function v1.cancel(settings, ids, options)
  options.query = { task_ids = ids }
  local value, err = request(settings, "DELETE", "/api/v1/task/%s", options)
  return value ~= nil or nil, err
end

---@param filters table the query
---@return table[]? records, string|beam.error|nil next_cursor_or_err
function v1.tasks(settings, filters, options)
  options.query = filters
  return page("tasks", request(settings, "GET", "/api/v1/task/%s", options))
end

--- The path of the task's events, with the workspace in it.
---@return string? path, beam.error? err
function v1.events_path(settings, id, timeout)
  local workspace_id, err = workspace.id(settings, timeout)
  return workspace_id and ("/api/v1/task/%s/%s/subscribe"):format(workspace_id, id), err
end

--- The newest log lines of something, the oldest of them first; at most 1000.
---@param filters table the query: object_type, object_id, limit
---@return table[]? records, beam.error? err
function v1.logs(settings, filters, options)
  options.query = filters
  local value, err = request(settings, "GET", "/api/v1/logs/%s", options)
  value, err = expect_object(value, err, "logs")
  return value and (type(value.logs) == "table" and value.logs or {}), err
end

--- Starts, stops or deletes a deployment: what is "start/{id}", "stop/{id}" or an id.
---@return true? done, beam.error? err
function v1.control(settings, method, what, options)
  local value, err = request(settings, method, "/api/v1/deployment/%s/" .. what, options)
  if err and err.status == 400 then
    err.hint = "beam.deployments() lists what is"
  elseif err and err.status == 401 then
    err.hint = "restricted tokens may not do this: use one that is not"
  end
  return value ~= nil or nil, err
end

-- ---- Containers ----

---@return table[]? records, beam.error? err
function v1.containers(settings, options)
  return api.list("containers", request(settings, "GET", "/api/v1/container/%s", options))
end

---@return true? done, beam.error? err
function v1.stop_container(settings, id, force, options)
  options.query = force and { force = true } or nil
  local value, err = request(settings, "POST", "/api/v1/container/%s/" .. id .. "/stop", options)
  return value ~= nil or nil, err
end

-- ---- Volumes ----

--- Any other request of the workspace's; the path has its id at %s.
---@return any value, beam.error? err
function v1.ask(settings, method, path, options)
  return request(settings, method, path, options)
end

-- Beam's gateway may say that it went wrong with status 200.
local function is_ok(what, value, err, doubt)
  value, err = expect_object(value, err, what)
  if value and value.ok ~= true then
    local message = ("%s: %s"):format(what, type(value.err_msg) == "string" and value.err_msg or "Beam refused")
    return nil, errors.new { kind = "http", message = message, phase = "response", status = 200, body = value, hint = doubt }
  end
  return value and true or nil, err
end

--- Moves a file or a folder within a volume. (The route /volume/{ws}/mv does nothing.)
---@param from string "volume/path"
---@return true? done, beam.error? err
function v1.move(settings, from, to, options)
  options.body = { new_path = to }
  local path = "/api/v1/gateway/volumes/" .. percent.encode(from) .. "/move"
  return is_ok("moving " .. from, api.request(settings, "POST", path, options))
end

--- Sets how many containers a pod has.
---@param id string the deployment's
---@param containers integer
---@return true? done, beam.error? err
function v1.scale(settings, id, containers, options)
  options.body = { containers = containers }
  local path = "/api/v1/gateway/deployments/" .. percent.encode(id) .. "/scale"
  return is_ok("scaling deployment " .. id, api.request(settings, "POST", path, options))
end

-- ---- The workspace's key ----

---@return string? key, beam.error? err
function v1.signing_key(settings, options)
  local value, err = request(settings, "GET", "/api/v1/token/%s/signing-key", options)
  value, err = expect_object(value, err, "signing key")
  if value and (type(value.signing_key) ~= "string" or value.signing_key == "") then
    local hint = "the workspace may have none yet"
    return nil, errors.new { kind = "http", message = "Beam gave no signing key", phase = "response", hint = hint }
  end
  secrets.learn(value and value.signing_key)
  return value and value.signing_key, err
end

-- ---- Deployments ----

---@return table? record, beam.error? err
function v1.deployment(settings, id, options)
  local value, err = request(settings, "GET", "/api/v1/deployment/%s/" .. id, options)
  return expect_object(value, err, "deployment " .. id)
end

---@return table[]? records, string|beam.error|nil next_cursor_or_err
function v1.deployments(settings, filters, options)
  filters.pagination = true
  options.query = filters
  local path = options.latest and "/api/v1/deployment/%s/latest" or "/api/v1/deployment/%s"
  return page("deployments", request(settings, "GET", path, options))
end

---@return string? url, beam.error? err
function v1.deployment_url(settings, id, options)
  local value, err = api.request(settings, "GET", ("/api/v1/deployment/%s/url"):format(id), options)
  value, err = expect_object(value, err, "deployment " .. id)
  if value and type(value.url) ~= "string" then
    return nil, errors.new { kind = "http", message = "deployment " .. id .. ": Beam gave no URL", body = value, phase = "response" }
  end
  return value and value.url, err
end

return v1
