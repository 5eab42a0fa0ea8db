-- The query parameters that choose among tasks and deployments (beta9's TaskFilter and DeploymentFilter). A parameter that cannot be read
-- is the caller's fault: 400.
local ascii = require "beam.base.ascii"
local records = require "beam.serve.api.records"
local timestamp = require "beam.serve.api.timestamp"
local url = require "beam.serve.url"

local filters = {}

local function set_of(text)
  local set = {}
  for item in text:gmatch "[^,]+" do
    set[item] = true
  end
  return set
end

local function natural(text)
  return tonumber(text:match "^%d+$")
end

-- Readers: the text of a parameter -> a test of an item (nil: every item passes), or false: it cannot be read.

local function one_of(value_of)
  return function(text)
    local set = set_of(text)
    return function(item)
      return set[value_of(item)] ~= nil
    end
  end
end

local function created(is_in)
  return function(text)
    local limit = timestamp.parse(text)
    return limit and function(item)
      return is_in(item.created_at, limit)
    end or false
  end
end

local function duration(is_in)
  return function(text)
    local limit = natural(text)
    return limit and function(task)
      return task.ended_at ~= nil and task.started_at ~= nil and is_in((task.ended_at - task.started_at) * 1000, limit)
    end or false
  end
end

local function at_least(value, limit)
  return value >= limit
end

local function at_most(value, limit)
  return value <= limit
end

-- beta9 drops what is no UUID, and with nothing left the whole filter.
local function task_ids(text)
  local set, any = {}, false
  for id in text:gmatch "[^,]+" do
    if url.is_uuid(id) then
      set[ascii.lower(id)], any = true, true
    end
  end
  return any and function(task)
    return set[task.id] ~= nil
  end or nil
end

local function stub_id_of(deployment)
  return deployment.id
end

local function of_deployment(value_of)
  return function(task)
    return value_of(task.deployment)
  end
end

local task_readers = {
  task_ids = task_ids,
  status = one_of(function(task)
    return task.status
  end),
  container_ids = one_of(function(task)
    return task.container_id
  end),
  stub_ids = one_of(of_deployment(stub_id_of)),
  stub_names = one_of(of_deployment(records.stub_name)),
  stub_types = one_of(of_deployment(records.stub_type)),
  created_at_start = created(at_least),
  created_at_end = created(at_most),
  min_duration = duration(at_least),
  max_duration = duration(at_most),
}

-- LIKE %name%
local function name_has(text)
  return function(deployment)
    return deployment.name:find(text, 1, true) ~= nil
  end
end

local function search(text)
  return url.is_uuid(text) and function(deployment)
    return deployment.deployment_id == ascii.lower(text)
  end or name_has(text)
end

local truths = { ["true"] = true, ["1"] = true, t = true, T = true, TRUE = true, True = true }
local lies = { ["false"] = true, ["0"] = true, f = true, F = true, FALSE = true, False = true }

local function active(text)
  if not truths[text] and not lies[text] then
    return false
  end
  return function(deployment)
    return deployment.active == (truths[text] or false)
  end
end

local function version(text)
  local number = natural(text)
  return number and function(deployment)
    return number == 0 or deployment.version == number
  end or false
end

local function subdomain(text)
  return function(deployment)
    return deployment.subdomain == ascii.lower(text)
  end
end

local deployment_readers = {
  name = name_has,
  search_query = search,
  stub_type = one_of(records.stub_type),
  stub_ids = one_of(stub_id_of),
  version = version,
  active = active,
  subdomain = subdomain,
  app_id = one_of(function(deployment)
    return deployment.app_id
  end),
  created_at_start = created(at_least),
  created_at_end = created(at_most),
}

local function passes(tests, item)
  for _, test in ipairs(tests) do
    if not test(item) then
      return false
    end
  end
  return true
end

-- The items that pass, from the end of the list to its start; nil if a parameter cannot be read. An empty parameter is none.
local function choose(list, readers, query)
  local tests = {}
  for name, read in pairs(readers) do
    local text = query[name]
    local test = text and text ~= "" and read(text) or nil
    if text and text ~= "" and read(text) == false then
      return nil
    end
    tests[#tests + 1] = test
  end
  local chosen = {}
  for i = #list, 1, -1 do
    if passes(tests, list[i]) then
      chosen[#chosen + 1] = list[i]
    end
  end
  return chosen
end

--- The tasks that are asked for, the newest first; nil if a parameter cannot be read.
---@param list beam.serve.task[] the oldest first
---@param query table<string, string>
---@return beam.serve.task[]?
function filters.tasks(list, query)
  return choose(list, task_readers, query)
end

--- The deployments that are asked for, the newest first; nil if a parameter cannot be read.
---@param list beam.serve.deployment[]
---@param query table<string, string>
---@return beam.serve.deployment[]?
function filters.deployments(list, query)
  return choose(list, deployment_readers, query)
end

--- Whether a parameter says yes.
---@param text string?
function filters.is_true(text)
  return text ~= nil and truths[text] or false
end

filters.natural = natural

return filters
