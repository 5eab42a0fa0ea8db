-- beam.deployments{…}: what is deployed in the workspace, page after page.
local api = require "beam.rest.api"
local config = require "beam.settings.config"
local deployment = require "beam.deployment"
local errors = require "beam.error"
local filters_known = require "beam.rest.filters"
local pages = require "beam.rest.pages"
local types = require "beam.base.types"

local deployments = {}

---@class beam.deployment_list: beam.pages
---@overload fun(): beam.deployment?
---@field next fun(self: beam.deployment_list): beam.deployment?, beam.error?
---@field all fun(self: beam.deployment_list, max: integer?): beam.deployment[]?, beam.error?

---@class beam.deployments_options: beam.options
---@field name string? exactly this one
---@field kind "asgi"|"endpoint"|"taskqueue"|"function"|"schedule"|"pod"|"bot"|nil
---@field version integer?
---@field active boolean?
---@field search string? a part of its name, or an id
---@field min_containers integer? those that keep so many containers, or more
---@field app string? the id of an app
---@field deleted boolean? those that were deleted, too
---@field created_after string? "2026-08-01T10:00:00Z"
---@field created_before string?
---@field latest boolean? of each name and kind the newest version only
---@field limit integer? at most so many
local option_types = {
  name = "string",
  kind = "string",
  version = "number",
  active = "boolean",
  search = "string",
  min_containers = "number",
  app = "string",
  deleted = "boolean",
  created_after = "string",
  created_before = "string",
  latest = "boolean",
  limit = "number",
}

local known = config.known(option_types)

local function check(options)
  errors.check_options(options, known, "beam.deployments")
  config.check(options, "beam.deployments")
  types.check(options, option_types, "beam.deployments")
  pages.check_limit(options.limit, "beam.deployments")
  filters_known.check_kind(options.kind, "beam.deployments")
end

-- Beam's name filter finds every name that has this one in it, and a filter that a release does not know finds all: so what comes is
-- looked at again.
local function fits(record, options)
  return (not options.name or record.name == options.name)
    and (not options.kind or tostring(record.stub_type):match "^[^/]+" == options.kind)
    and (not options.version or record.version == options.version)
    and (options.active == nil or record.active == options.active)
end

--- The deployments, newest first; in a loop, or by :next() and :all(max).
---@param settings beam.settings
---@param options beam.deployments_options?
---@return beam.deployment_list list list.err says afterwards why it ended early
function deployments.list(settings, options)
  options = options or {}
  check(options)
  local own = config.override(settings, options)
  local asked, kept = api.of(own), deployment.settings(settings, options)
  return pages.new {
    limit = options.limit,
    read = function(record)
      return fits(record, options) and deployment.new(kept, record) or nil
    end,
    fetch = function(cursor)
      local filters = { name = options.name, version = options.version, active = options.active, limit = 100, cursor = cursor }
      filters.stub_type = options.kind and options.kind .. "/deployment"
      filters.search_query, filters.min_containers, filters.app_id = options.search, options.min_containers, options.app
      filters.show_deleted, filters.created_at_start = options.deleted, options.created_after
      filters.created_at_end = options.created_before
      return asked.deployments(own, filters, { timeout = options.timeout, latest = options.latest })
    end,
  }
end

return deployments
