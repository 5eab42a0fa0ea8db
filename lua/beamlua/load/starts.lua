-- Cold starts told apart from warm calls, by what Beam says of them (docs/wire.md sections 6 and 7): a task has created_at, started_at and
-- the container that ran it, a container the second in which it came up. A call was cold if it was made before its container had begun
-- to work: one that was up before the run had. Those that waited so long are among the slowest, so these are asked about, when all is over.
local driver = require "beam.driver"
local histogram = require "beamlua.load.histogram"
local figures_of = require("beamlua.load.report").figures
local parse_time = require("beam.serve.api.timestamp").parse

local starts = {}

local at_a_time = 8 -- questions
local patience = 10 -- seconds for each
local batch = 64 -- are asked about, and as many more while one of the last had been cold

-- Seconds since 1970: Beam writes the times of tasks as text, and those of containers as numbers.
local function seconds_of(value)
  return type(value) == "number" and value or type(value) == "string" and parse_time(value) or nil
end

-- ---- Asking ----

local function ask_some(client, slow, from, to)
  local next_one, askers = from, {}
  local function ask()
    while next_one <= to do
      local one = slow[next_one]
      next_one = next_one + 1
      local task = client.task(one.task_id, { timeout = patience })
      local status = task:status()
      one.record = status and task.record or nil
    end
  end
  for i = 1, math.min(at_a_time, to - from + 1) do
    askers[i] = driver.spawn(ask)
  end
  for _, asker in ipairs(askers) do
    asker:join()
  end
end

-- When containers came up, by their ids.
local function containers_of(client)
  local list, err = client.containers { timeout = patience }
  local came_up = {}
  for _, container in ipairs(list or {}) do
    local up = seconds_of(container.record.started_at)
    came_up[container.id] = up and up > 0 and up or nil
  end
  return list and came_up, err
end

-- ---- Telling apart ----

-- When each container began with the first of the tasks that are known.
local function first_work(slow)
  local first = {}
  for _, one in ipairs(slow) do
    local id, began = one.record and one.record.container_id, one.record and seconds_of(one.record.started_at)
    if type(id) == "string" and began then
      first[id] = math.min(first[id] or math.huge, began)
    end
  end
  return first
end

-- nil: nobody knows. Beam tells whole seconds of a container: within that one its first work decides, if it came up during the run.
local function is_cold(one, came_up, before, first)
  local id, made = one.record and one.record.container_id, one.record and seconds_of(one.record.created_at)
  local up = came_up[id]
  if not (made and up) then
    return nil
  elseif before and before[id] or made >= up + 1 then
    return false
  elseif made < up then
    return true
  end
  return before and made < (first[id] or up)
end

--- The containers that are up, to be asked for before a run; nil: nobody knows.
---@param plan table
---@return table<string, number>?
function starts.before(plan)
  local ok, came_up = pcall(containers_of, plan.client)
  return ok and came_up or nil
end

-- What a reader has to know of it.
local function remark(made)
  if made.problem then
    return "Whether calls were cold is not known: " .. made.problem
  end
  local unknown = made.unknown > 0 and (", of %d nobody knows"):format(made.unknown) or ""
  local line = "Cold: made before the container that ran it had begun to work, as Beam says of the %d slowest%s; warm: the others."
  return line:format(made.asked, unknown)
end

-- The slowest first, as long as there are cold ones.
local function tell_apart(client, slow, came_up, before, made)
  table.sort(slow, function(one, other)
    return one.seconds > other.seconds
  end)
  local more = true
  while more and made.asked < #slow do
    local from = made.asked + 1
    made.asked = math.min(#slow, made.asked + batch)
    ask_some(client, slow, from, made.asked)
    local first = first_work(slow)
    for i = 1, made.asked do
      slow[i].cold = is_cold(slow[i], came_up, before, first)
    end
    more = false
    for i = from, made.asked do
      more = more or slow[i].cold == true
    end
  end
end

--- What is known of cold starts; nil: none of the calls was a task of Beam's.
---@param client beam.client
---@param tally beamlua.tally
---@param before table<string, number>? what starts.before gave
---@return table?
function starts.of(client, tally, before)
  local slow = tally.slow
  if #slow == 0 then
    return nil
  end
  local ok, came_up, err = pcall(containers_of, client)
  local made = { asked = 0, unknown = 0 }
  local cold, waited = histogram.new(), {}
  if ok and came_up then
    tell_apart(client, slow, came_up, before, made)
    for i = 1, made.asked do
      local one = slow[i]
      made.unknown = made.unknown + (one.cold == nil and 1 or 0)
      if one.cold then
        cold:add(one.seconds)
        waited[#waited + 1] = one.seconds
      end
    end
  else
    made.asked, made.unknown = #slow, #slow
    made.problem = tostring(ok and err and err.message or came_up)
  end
  made.cold, made.warm = figures_of(cold), figures_of(tally.latency:without(waited))
  made.remark = remark(made)
  return made
end

return starts
