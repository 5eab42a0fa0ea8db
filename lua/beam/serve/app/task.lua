-- One task: what was asked of a deployment, and what became of it (docs/wire.md section 6).
--
--   PENDING -> RUNNING -> COMPLETE | ERROR | TIMEOUT | CANCELLED
--        \        \-----> RETRY -> RUNNING …
--         \-> EXPIRED | CANCELLED
local driver = require "beam.driver"
local timestamp = require "beam.serve.api.timestamp"
local url = require "beam.serve.url"

local task = {}

local final = { COMPLETE = true, ERROR = true, CANCELLED = true, TIMEOUT = true, EXPIRED = true }

---@class beam.serve.task
---@field id string a UUID
---@field sequence integer rises from task to task
---@field deployment beam.serve.deployment
---@field status string
---@field failure_reason string "" unless it failed
---@field container_id string "" before it ran
---@field created_at number seconds since 1970, as the next three
---@field updated_at number
---@field started_at number?
---@field ended_at number?
---@field result any what the handler returned, as JSON has it; nil: none
---@field outputs table[] beam/serve/api/outputs.lua
---@field callback_url string? is told when it has ended
---@field returned any what the handler returned, for the callback; of an answer with a status its body
---@field on_change (fun(task: beam.serve.task))? told of each change
---@field changed beam.signal woken when anything of it changes
local Task = {}
Task.__index = Task
Task.__name = "beam.serve.task"

---@param deployment beam.serve.deployment
---@param sequence integer
---@return beam.serve.task
function task.new(deployment, sequence)
  local now = timestamp.now()
  deployment.in_flight = deployment.in_flight + 1
  return setmetatable({
    id = url.uuid(),
    sequence = sequence,
    deployment = deployment,
    status = "PENDING",
    failure_reason = "",
    container_id = "",
    created_at = now,
    updated_at = now,
    outputs = {},
    changed = driver.signal(),
  }, Task)
end

---@return boolean
function Task:is_final()
  return final[self.status] or false
end

--- Enters another state, unless it has ended. Wakes whoever waits for a change.
---@param status string
---@param failure_reason string?
---@return boolean entered
function Task:set(status, failure_reason)
  if self:is_final() then
    return false
  end
  local now = timestamp.now()
  self.status, self.updated_at = status, now
  self.failure_reason = failure_reason or ""
  if status == "RUNNING" then
    self.started_at = now
    self.container_id = self.deployment:container_id()
  elseif final[status] then
    self.ended_at = now
    self.deployment.in_flight = self.deployment.in_flight - 1
  end
  if self.on_change then
    self.on_change(self)
  end
  self.changed:wake_all()
  return true
end

return task
