-- The faults of a local Beam: which of them happens now, and what happens before an app is reached. What befalls a connection once it is
-- open is in beam/serve/app/fate.lua, how faults are written in beam/serve/fault/syntax.lua.
local syntax = require "beam.serve.fault.syntax"

local faults = {}

local longest_start = 930 -- seconds that Beam's gateway waits for a container

-- Beam's words, where it has some (docs/wire.md sections 3 and 4).
local bodies = {
  [400] = { message = "Invalid deployment" },
  [401] = { message = "Unauthorized" },
  [404] = { message = "Not Found" },
  [429] = { error = "Request queue full" },
  [502] = { error = "Backend route unavailable" },
  [503] = { error = "No compute capacity for GPU type A100" },
  [504] = { error = "Timed out waiting for a backend container" },
}

-- What a runner says that does not start a task (the statuses are the syntax's).
local refusals = {
  rejected = "Gateway rejected task start",
  capacity = "Container task lifecycle capacity exhausted",
  unavailable = "Gateway temporarily unavailable while starting task",
  failed = "Gateway failed to start task",
  no_task_id = "Task ID missing",
}

---@class beam.serve.faults
local Faults = {}
Faults.__index = Faults
Faults.__name = "beam.serve.faults"

--- given: as fault_syntax.parse wants it. Returns nil and what is wrong with it.
---@param random fun(): number
---@return beam.serve.faults?, string?
function faults.new(given, random)
  local list, problem = syntax.parse(given)
  if not list then
    return nil, problem
  end
  return setmetatable({ list = list, random = random, warm_at = {} }, Faults)
end

-- Whether it happens this time.
local function happens(self, fault)
  if fault.times <= 0 or fault.chance < 1 and self.random() >= fault.chance then
    return false
  end
  fault.times = fault.times - 1
  return true
end

--- The value of a fault, drawn anew.
function Faults:draw(fault)
  if fault.low == fault.high then
    return fault.low
  elseif fault.unit == "messages" then
    return fault.low + math.floor(self.random() * (fault.high - fault.low + 1))
  end
  return fault.low + self.random() * (fault.high - fault.low)
end

--- The first fault of these names that happens this time, or nil.
---@param names table<string, true>
---@return beam.serve.fault?
function Faults:choose(names)
  for _, fault in ipairs(self.list) do
    if names[fault.name] and happens(self, fault) then
      return fault
    end
  end
end

--- The same for one name.
function Faults:take(name)
  return self:choose { [name] = true }
end

--- The value of what holds all the time, or nil.
function Faults:setting(name)
  for _, fault in ipairs(self.list) do
    if fault.name == name then
      return fault.low
    end
  end
end

-- ---- Before the app ----

-- When the container of the deployment is up; asking starts it.
local function warm_at(self, exchange, deployment)
  if not self.warm_at[deployment] then
    local fault = self:take "cold"
    self.warm_at[deployment] = exchange.server.driver.now() + (fault and self:draw(fault) or 0)
  end
  return self.warm_at[deployment]
end

--- Somebody asked for the container to be started.
Faults.warm_up = warm_at

local function refuse(self, exchange, status, task_header)
  local headers, pause = { task_header }, self:setting "retry_after"
  if pause then
    headers[#headers + 1] = { "retry-after", tostring(math.ceil(pause)) }
  end
  exchange:json(status, bodies[status] or { error = "a fault on demand" }, headers)
end

-- What became of a task that the gateway made and no app ever saw.
local ends = { [502] = { "ERROR", "Backend route unavailable" }, [504] = { "EXPIRED", "Timed out waiting for a backend container" } }

local function task_header(exchange, deployment, status)
  if not ends[status] then
    return nil
  end
  local task = exchange.server.app.tasks:add(deployment)
  task:set(ends[status][1], ends[status][2])
  return { "x-task-id", task.id }
end

local function hang_up(exchange, reset)
  exchange.request:abort(reset)
  exchange:log "(hung up)"
end

--- Waits for the container of the deployment. Returns true if that was the request's end.
---@return boolean
function Faults:start_container(exchange, deployment)
  local left = warm_at(self, exchange, deployment) - exchange.server.driver.now()
  if left > 0 then
    exchange:pause(math.min(left, longest_start))
  end
  if left > longest_start then
    refuse(self, exchange, 504, task_header(exchange, deployment, 504))
  end
  return left > longest_start or exchange:is_over()
end

--- What happens to a request that was let in, before its app is reached. Returns true if that was its end.
---@return boolean
function Faults:befall(exchange, deployment)
  exchange.latency = self:take "latency"
  if exchange.latency then
    exchange:pause(self:draw(exchange.latency))
  end
  local refusal = self:choose { status = true, hang_up = true }
  if refusal and refusal.name == "status" then
    refuse(self, exchange, refusal.low, task_header(exchange, deployment, refusal.low))
  elseif refusal then
    hang_up(exchange, refusal.reset)
  end
  return refusal ~= nil or exchange:is_over()
end

--- The runner is asked to start the task of a call. Returns why it does not; it has then been said.
---@return string?
function Faults:refuse_start(exchange)
  local fault = self:take "runner"
  if fault then
    exchange:json(fault.low, { detail = refusals[fault.reason] }, { exchange.task_header })
    return refusals[fault.reason]
  end
end

-- ---- After it, and beside it ----

--- The handler has run: what becomes of its answer. Returns true if it is lost.
---@return boolean
function Faults:lose_answer(exchange)
  local slow = self:take "slow"
  if slow then
    exchange:pause(self:draw(slow))
  end
  local fault = self:take "lost"
  if fault and fault.low then
    refuse(self, exchange, fault.low, exchange.task_header)
  elseif fault then
    hang_up(exchange, fault.reset)
  end
  return fault ~= nil
end

--- A request to the API. Returns true if that was its end.
---@param watching boolean a task's states as a stream
---@return boolean
function Faults:befall_api(exchange, watching)
  local fault = self:choose { api = true, watch = watching or nil }
  if fault and fault.unit == "seconds" then
    exchange:pause(self:draw(fault))
    return exchange:is_over()
  elseif fault and fault.low then
    refuse(self, exchange, fault.low)
  elseif fault then
    hang_up(exchange, fault.reset)
  end
  return fault ~= nil
end

return faults
