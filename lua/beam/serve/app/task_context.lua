-- What a handler is told beside its input: context.task_id, .args, and what it may do: context.cancelled(), .sleep(seconds),
-- .output(name, content, options), .log(text, stream).
local driver = require "beam.driver"
local notes = require "beam.serve.app.notes"
local outputs = require "beam.serve.api.outputs"

local task_context = {}

local makers = {}

--- context.cancelled(): the task was cancelled or has timed out; what the handler still does is for nobody.
function makers.cancelled(task)
  return function()
    return task:is_final()
  end
end

--- context.sleep(seconds): true, or false as soon as the task was cancelled.
function makers.sleep(task)
  return function(seconds)
    local deadline = driver.now() + seconds
    while not task:is_final() and driver.now() < deadline do
      task.changed:wait(deadline - driver.now())
    end
    return not task:is_final()
  end
end

--- context.output(name, content, options): beam/serve/api/outputs.lua.
function makers.output(task, store)
  return function(name, content, options)
    return outputs.add(store, task, name, content, options)
  end
end

--- context.log(text, stream): among the task's logs.
function makers.log(task, store)
  return function(text, stream)
    notes.log(store, task, text, stream)
  end
end

---@class beam.serve.task_context
---@field task_id string
---@field args any[] positional arguments
---@field cancelled fun(): boolean true: the task was cancelled or has timed out, and what the handler still does is for nobody
---@field sleep fun(seconds: number): boolean false as soon as the task has ended
---@field output fun(name: string, content: string|{ path: string }, options: { expires_in: number? }?) hands out a file
---@field log fun(text: string, stream: "stdout"|"stderr"|nil) adds lines to the task's logs
---@field method string? endpoint
---@field headers table<string, string>? endpoint; names in lower case
---@field query table<string, any>? endpoint

-- The functions are made when they are first asked for: most calls want none.
local Context = {
  __name = "beam.serve.context",
  __index = function(context, name)
    local maker = makers[name]
    if maker then
      local made = maker(context.task, context.store)
      rawset(context, name, made)
      return made
    end
  end,
}

---@param store beam.serve.task_store
---@param task beam.serve.task
---@param fields table args, and of a call method, headers, query
function task_context.new(store, task, fields)
  fields.task, fields.store, fields.task_id = task, store, task.id
  return setmetatable(fields, Context)
end

return task_context
