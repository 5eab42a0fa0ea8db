-- The tasks of an app, the newest last. It belongs to the app: whichever server listens shows the same ones. The oldest that have ended
-- are forgotten.
local ascii = require "beam.base.ascii"
local callbacks = require "beam.serve.app.callbacks"
local new_journal = require("beam.serve.api.numbered").new
local new_task = require("beam.serve.app.task").new
local new_volumes = require("beam.serve.api.volume_store").new
local notes = require "beam.serve.app.notes"

local task_store = {}

local limit = 10000 -- tasks that are kept; some more at times, for they are forgotten in batches

---@class beam.serve.task_store
---@field list beam.serve.task[] the oldest first
---@field logs beam.serve.journal what handlers said
---@field events beam.serve.journal what happened
---@field volumes beam.serve.volume_store
---@field signing_key string that callbacks are signed with
local Store = {}
Store.__index = Store
Store.__name = "beam.serve.task_store"

---@return beam.serve.task_store
function task_store.new()
  local self = { list = {}, by_id = {}, outputs = {}, output_bytes = 0, sequence = 0, logs = new_journal(), events = new_journal() }
  self.volumes = new_volumes()
  self.signing_key = callbacks.new_key()
  return setmetatable(self, Store)
end

local function forget(self, task)
  self.by_id[task.id] = nil
  for _, output in ipairs(task.outputs) do
    self.outputs[output.id] = nil
    self.output_bytes = self.output_bytes - #(output.bytes or "")
  end
end

-- Down to the limit, as far as they have ended.
local function forget_oldest(self)
  local kept, excess = {}, #self.list - limit
  for _, task in ipairs(self.list) do
    if excess > 0 and task:is_final() then
      excess = excess - 1
      forget(self, task)
    else
      kept[#kept + 1] = task
    end
  end
  self.list = kept
end

--- A new task, PENDING.
---@param deployment beam.serve.deployment
---@return beam.serve.task
function Store:add(deployment)
  self.sequence = self.sequence + 1
  local task = new_task(deployment, self.sequence)
  task.on_change = function(changed)
    notes.changed(self, changed)
    callbacks.changed(self, changed)
  end
  self.by_id[task.id] = task
  notes.event(self, task, "task.created")
  self.list[#self.list + 1] = task
  if #self.list > 1.1 * limit then
    forget_oldest(self)
  end
  return task
end

---@param id string
---@return beam.serve.task?
function Store:find(id)
  return self.by_id[ascii.lower(id)]
end

--- Cancels a task that has not ended; its handler is told, but runs on.
---@param id string
function Store:cancel(id)
  local task = self:find(id)
  if task then
    task:set("CANCELLED", "Cancelled by the user")
  end
end

--- Cancels all that have not ended.
function Store:cancel_all()
  for _, task in ipairs(self.list) do
    task:set("CANCELLED", "The app was closed")
  end
end

return task_store
