-- beam.tasks{…}: the tasks of the workspace, page after page.
local api = require "beam.rest.api"
local config = require "beam.settings.config"
local deployment = require "beam.deployment"
local deployments = require "beam.rest.deployments"
local errors = require "beam.error"
local filters_known = require "beam.rest.filters"
local pages = require "beam.rest.pages"
local stub_id_of = require("beam.rest.stub").stub_id
local types = require "beam.base.types"

local tasks = {}

---@class beam.task_list: beam.pages
---@overload fun(): beam.task?
---@field next fun(self: beam.task_list): beam.task?, beam.error?
---@field all fun(self: beam.task_list, max: integer?): beam.task[]?, beam.error?

---@class beam.tasks_options: beam.options
---@field status string|string[]|nil "RUNNING", or {"PENDING", "RUNNING"}
---@field deployment string|beam.target|nil of these deployments: a name is every version of it
---@field kind "taskqueue"|"function"|"endpoint"|"asgi"|"schedule"|nil
---@field created_after string? "2026-08-01T10:00:00Z"
---@field created_before string?
---@field limit integer? at most so many
local option_types = {
  status = "string|table",
  deployment = "string|table",
  kind = "string",
  created_after = "string",
  created_before = "string",
  limit = "number",
}

local known = config.known(option_types)

local function check(options)
  errors.check_options(options, known, "beam.tasks")
  config.check(options, "beam.tasks")
  types.check(options, option_types, "beam.tasks")
  pages.check_limit(options.limit, "beam.tasks")
  filters_known.check_states(options.status, "beam.tasks")
  filters_known.check_kind(options.kind, "beam.tasks")
end

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do
    set[value] = true
  end
  return set
end

-- ---- Of which deployment ----

-- An id may be the deployment's or the stub's.
local function stub_of_id(settings, id, timeout)
  local record, err = api.of(settings).deployment(settings, id, { timeout = timeout })
  if record then
    return { stub_id_of(record) or id }
  elseif err.status == 404 or err.status == 400 then
    return { id }
  end
  return nil, err
end

local function not_deployed(what)
  local message = ("nothing is deployed as '%s'"):format(what)
  return nil, errors.new { kind = "http", message = message, phase = "response", status = 404, hint = "beam.deployments() lists what is" }
end

-- Beam lists tasks by stub, and each version of a deployment is a stub of its own. Returns their ids, or nil and an error.
local function stubs_of(settings, given, timeout)
  local target = deployment.read(given)
  if target.uuid then
    return stub_of_id(settings, target.uuid, timeout)
  end
  local stubs = {}
  local list = deployments.list(settings, { name = target.name, version = target.version, timeout = timeout })
  local item = list:next()
  while item do
    if not target.subdomain or item.subdomain == target.subdomain then
      stubs[#stubs + 1] = item.stub_id
    end
    item = not (target.latest and stubs[1]) and list:next() or nil
  end
  if list.err then
    return nil, list.err
  elseif not stubs[1] then
    return not_deployed(target.text)
  end
  return stubs
end

-- ---- The list ----

local function fits(record, wanted)
  local stub = type(record.stub) == "table" and (record.stub.external_id or record.stub.id) or record.stub_id
  return (not wanted.statuses or wanted.statuses[record.status] == true)
    and (not wanted.stubs or type(stub) ~= "string" or wanted.stubs[stub] == true)
end

local function filters_of(options, statuses, stubs)
  return {
    status = statuses,
    stub_ids = stubs,
    stub_types = options.kind and options.kind .. "/deployment",
    created_at_start = options.created_after,
    created_at_end = options.created_before,
    limit = pages.size(options.limit),
    skip_details = true, -- outputs and figures, which Beam would look up for each
  }
end

--- The tasks, newest first; in a loop, or by :next() and :all(max). Their records are without outputs: task:outputs() asks.
---@param settings beam.settings
---@param options beam.tasks_options?
---@return beam.task_list list list.err says afterwards why it ended early
function tasks.list(settings, options)
  options = options or {}
  check(options)
  local own = config.override(settings, options)
  local asked, new_task = api.of(own), require("beam.task").new
  local of_tasks = require("beam.task").settings(settings, options)
  local statuses = options.status and (type(options.status) == "table" and options.status or { options.status })
  local wanted, filters = { statuses = statuses and set_of(statuses) }, nil

  local function fetch(cursor)
    if not filters then
      local stubs, err
      if options.deployment then
        stubs, err = stubs_of(own, options.deployment, options.timeout)
        if not stubs then
          return nil, err
        end
        wanted.stubs = set_of(stubs)
      end
      filters = filters_of(options, statuses, stubs)
    end
    filters.cursor = cursor
    return asked.tasks(own, filters, { timeout = options.timeout })
  end

  return pages.new {
    limit = options.limit,
    fetch = fetch,
    read = function(record)
      local id = record.external_id or record.id
      return type(id) == "string" and fits(record, wanted) and new_task(of_tasks, id, record) or nil
    end,
  }
end

return tasks
