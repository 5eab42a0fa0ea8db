-- Beam's public API (https://api.beam.cloud/v2): no workspace in the paths, no events. Documented are one task and cancelling; lists are
-- asked for as in v1 and read in whichever shape they come.
local api = require "beam.rest.api"
local errors = require "beam.error"
local json = require "beam.json"

local v2 = {}

---@return table? record, beam.error? err
function v2.task(settings, id, options)
  local value, err = api.request(settings, "GET", ("/v2/task/%s/"):format(id), options)
  if not err and (type(value) ~= "table" or json.is_array(value)) then
    return nil, errors.new { kind = "http", message = "task " .. id .. ": Beam's answer is no object", body = value, phase = "response" }
  end
  return value, err
end

---@return true? done, beam.error? err
function v2.cancel(settings, ids, options)
  options.body = { task_ids = ids }
  local value, err = api.request(settings, "DELETE", "/v2/task/cancel/", options)
  return value ~= nil or nil, err
end

-- ---- Lists ----

local lists = { data = true, results = true }

local function list_of(value)
  for name in pairs(lists) do
    if type(value) == "table" and value[name] ~= nil then
      return value[name]
    end
  end
  return value
end

-- The next page is named by a cursor, or by a URL that has one in its query; that URL's host is never asked.
local function cursor_of(value)
  local following = type(value.next) == "string" and value.next or ""
  local cursor = following:match "[?&]cursor=([^&#]*)" or not following:find "^https?://" and following or ""
  cursor = cursor:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  return cursor ~= "" and cursor or nil
end

local function list(what, settings, path, filters, options)
  options.query = filters
  local value, err = api.request(settings, "GET", path, options)
  if err then
    local missing = err.status == 404 or err.status == 405
    err.hint = missing and "the public API has no such list: api_version = 'v1' asks the gateway" or err.hint
    return nil, err
  end
  local records, problem = api.list(what, list_of(value))
  return records, problem or type(value) == "table" and cursor_of(value) or nil
end

---@return table[]? records, string|beam.error|nil next_cursor_or_err
function v2.tasks(settings, filters, options)
  return list("tasks", settings, "/v2/task/", filters, options)
end

---@return table[]? records, string|beam.error|nil next_cursor_or_err
function v2.deployments(settings, filters, options)
  return list("deployments", settings, "/v2/deployment/", filters, options)
end

---@return table? record, beam.error? err
function v2.deployment(settings, id, options)
  return api.request(settings, "GET", ("/v2/deployment/%s/"):format(id), options)
end

return v2
