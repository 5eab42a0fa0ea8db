-- What lists may be asked for: a state or a kind that Beam does not know finds nothing for ever, and is a mistake.
local ascii = require "beam.base.ascii"
local mistake = require "beam.base.mistake"
local suggest = require "beam.base.suggest"

local filters = {}

local function set_of(words)
  local set = {}
  for word in words:gmatch "%S+" do
    set[word] = true
  end
  return set
end

local states = set_of "pending running retry complete error failed cancelled timeout expired" -- in capitals on the wire
local kinds = set_of "asgi endpoint taskqueue function schedule pod bot sandbox container shell"

local function refuse(where, what, value, meant)
  mistake(("%s: there is no %s '%s'%s"):format(where, what, tostring(value), meant and ("; did you mean '%s'?"):format(meant) or ""))
end

--- Raises for a state that no task can have.
---@param given string|string[]|nil
---@param where string "beam.tasks"
function filters.check_states(given, where)
  for _, state in ipairs(type(given) == "table" and given or { given }) do
    local name = type(state) == "string" and ascii.lower(state) or ""
    if not states[name] or ascii.upper(name) ~= state then
      local meant = suggest(name, states)
      refuse(where, "state of a task", state, meant and ascii.upper(meant))
    end
  end
end

--- Raises for a kind of deployment that does not exist.
---@param given string?
---@param where string "beam.deployments"
function filters.check_kind(given, where)
  if given ~= nil and not kinds[given] then
    refuse(where, "kind", given, suggest(given, kinds))
  end
end

return filters
