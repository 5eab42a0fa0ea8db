-- What is written down of tasks: what their handlers log, and what happens to them (serve/api/numbered.lua keeps it).
local timestamp = require "beam.serve.api.timestamp"

local notes = {}

local longest_line = 64 * 1024 -- bytes; the rest is another line

local function about(task)
  return {
    at = timestamp.now(),
    task_id = task.id,
    stub_id = task.deployment.id,
    stub_type = task.deployment.kind .. "/deployment",
    container_id = task.container_id ~= "" and task.container_id or nil,
  }
end

local function add_line(store, task, line, stream)
  local record = about(task)
  record.message, record.stream = line, stream
  store.logs:add(record, #line + 256)
end

--- A handler's words, line by line.
---@param store beam.serve.task_store
---@param task beam.serve.task
---@param text string
---@param stream "stdout"|"stderr"|nil
function notes.log(store, task, text, stream)
  for line in (tostring(text):gsub("\n$", "") .. "\n"):gmatch "(.-)\n" do
    local rest = line
    repeat
      add_line(store, task, rest:sub(1, longest_line), stream or "stdout")
      rest = rest:sub(longest_line + 1)
    until rest == ""
  end
end

--- It was made, or is in another state.
---@param store beam.serve.task_store
---@param task beam.serve.task
---@param kind "task.created"|"task.updated"
function notes.event(store, task, kind)
  local record = about(task)
  record.type = kind
  record.data = {
    id = task.id,
    status = task.status,
    failure_reason = task.failure_reason ~= "" and task.failure_reason or nil,
    container_id = task.container_id,
    stub_id = task.deployment.id,
    created_at = timestamp.format(task.created_at),
    updated_at = timestamp.format(task.updated_at),
    started_at = timestamp.format(task.started_at),
    ended_at = timestamp.format(task.ended_at),
    deployment_id = task.deployment.deployment_id,
    deployment_name = task.deployment.name,
    deployment_version = tostring(task.deployment.version),
  }
  store.events:add(record, 1024)
end

--- A task has entered another state: what a failure said is among its logs.
---@param store beam.serve.task_store
---@param task beam.serve.task
function notes.changed(store, task)
  if task.failure_reason ~= "" and (task.status == "ERROR" or task.status == "RETRY") then
    notes.log(store, task, task.failure_reason, "stderr")
  end
  notes.event(store, task, "task.updated")
end

return notes
