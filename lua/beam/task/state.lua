-- The states of a task (docs/wire.md section 6), and what it means to have ended in one.
local errors = require "beam.error"

local state = {}

-- An unknown state is not final. FAILED is what the docs call ERROR.
local final = { COMPLETE = true, ERROR = true, FAILED = true, CANCELLED = true, TIMEOUT = true, EXPIRED = true }

local failed = "the handler failed: err.failure_reason says why, or beamlua logs TASK"
local hints = {
  ERROR = failed,
  FAILED = failed,
  TIMEOUT = "the handler ran for longer than its deployment's timeout allows",
  EXPIRED = "no worker took it in time, so that it did not run: it may be submitted again",
  CANCELLED = "somebody cancelled it",
}

---@param status string
---@return boolean
function state.is_final(status)
  return final[status] or false
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function executed(record)
  if record.status == "EXPIRED" or record.status == "CANCELLED" and not text(record.started_at) then
    return "no"
  end
  return "yes"
end

--- A task that ended otherwise than COMPLETE, as the error that result() returns.
---@param id string
---@param record table of a final state
---@param lines string[]? the last ones that it said
---@return beam.error kind "task", with task_status, failure_reason, task_id, logs and body (the record)
function state.failure(id, record, lines)
  local reason = text(record.failure_reason)
  local ran = executed(record)
  return errors.point_to_logs(errors.new {
    kind = "task",
    message = ("task %s ended as %s%s"):format(id, record.status, reason and ": " .. errors.quote(reason) or ""),
    task_id = id,
    task_status = record.status,
    failure_reason = reason,
    body = record,
    executed = ran,
    retryable = record.status == "EXPIRED",
    hint = hints[record.status],
    logs = lines,
  })
end

-- "2026-08-01T10:00:00.25Z" with nine digits of a second, so that such texts compare as times; nil for another form.
local function comparable(timestamp)
  local seconds, fraction = tostring(timestamp):match "^(%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d)%.?(%d*)Z$"
  return seconds and seconds .. "." .. (fraction .. "000000000"):sub(1, 9)
end

--- Whether a record was overtaken by one that was seen before it.
---@param record table
---@param seen table?
---@return boolean
function state.is_older(record, seen)
  local at, seen_at = comparable(record.updated_at), seen and comparable(seen.updated_at)
  return at ~= nil and seen_at ~= nil and at < seen_at
end

return state
