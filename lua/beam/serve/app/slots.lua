-- Who may run now: a deployment runs as many tasks at once as it has workers, the others wait in the order they came.
local driver = require "beam.driver"

local slots = {}

-- The state of a deployment: { running = n, waiting = tasks in order }.
local function of(deployment)
  deployment.slots = deployment.slots or { running = 0, waiting = {} }
  return deployment.slots
end

local function grant(deployment)
  local state = of(deployment)
  while state.waiting[1] and state.running < deployment.options.workers do
    local task = table.remove(state.waiting, 1)
    state.running = state.running + 1
    task.granted = true
    task.changed:wake_all()
  end
end

local function give_up(deployment, task)
  local waiting = of(deployment).waiting
  for i, one in ipairs(waiting) do
    if one == task then
      table.remove(waiting, i)
      return
    end
  end
end

-- Waits until something changes, or ends the task: it has EXPIRED, or whoever asked has left.
local function wait(task, deadline, is_gone, due)
  local now = driver.now()
  if is_gone and is_gone() then
    task:set("CANCELLED", "The client left before the task ran")
  elseif now >= deadline then
    task:set("EXPIRED", "No worker took the task in time")
  else
    task.changed:wait(math.min(deadline, due or deadline) - now)
  end
end

--- Waits for a container that is up at `due`, until `deadline` at most. Afterwards the task is PENDING, or has ended.
---@param task beam.serve.task
---@param due number driver.now()
---@param deadline number
---@param is_gone (fun(): boolean)? whoever asked has left: the task is cancelled
function slots.wait_until(task, due, deadline, is_gone)
  while driver.now() < due and not task:is_final() do
    wait(task, deadline, is_gone, due)
  end
end

--- Waits for a slot, for the deployment's ttl at most.
---@param task beam.serve.task
---@param is_gone (fun(): boolean)?
---@return boolean granted leave() is then owed; false: the task has ended
function slots.enter(task, is_gone)
  local deployment = task.deployment
  table.insert(of(deployment).waiting, task)
  grant(deployment)
  local deadline = driver.now() + deployment.options.ttl
  while not task.granted and not task:is_final() do
    wait(task, deadline, is_gone)
  end
  if not task.granted then
    give_up(deployment, task)
  elseif task:is_final() then -- between the grant and now
    slots.leave(task)
  end
  return task.granted or false
end

---@param task beam.serve.task
function slots.leave(task)
  task.granted = nil
  of(task.deployment).running = of(task.deployment).running - 1
  grant(task.deployment)
end

--- Makes room in a full queue, as Beam's request buffer does: the task that has waited longest ends.
---@param deployment beam.serve.deployment
function slots.bound(deployment)
  local oldest = of(deployment).waiting[1]
  if oldest and #of(deployment).waiting >= deployment.options.queue then
    oldest:set("EXPIRED", "Request queue full")
    give_up(deployment, oldest)
  end
end

--- How many tasks of a deployment run now.
---@return integer
function slots.running(deployment)
  return of(deployment).running
end

return slots
