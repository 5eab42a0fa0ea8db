-- A task (docs/wire.md section 6): submitted once, watched to its end, its result and its files fetched.
--
--   submit.lua     makes one                 task/watch.lua      its states as they change
--   task/state.lua what the states mean      task/download.lua   its files
local api = require "beam.rest.api"
local base64 = require "beam.base64"
local config = require "beam.settings.config"
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"
local mistake = require "beam.base.mistake"
local options_of = require "beam.settings.options"
local seconds = require "beam.settings.seconds"
local state = require "beam.task.state"

local task = {}

---@class beam.task
---@field id string
---@field record table? Beam's, as it was seen last
local Task = {}
local meta = { __name = "beam.task", __index = Task }

function meta.__tostring(self)
  return ("beam.task %s (%s)"):format(self.id, self.record and self.record.status or "not asked yet")
end

-- The settings stand in a table of their own, as they are not for the reader of a dump.
local settings_of = setmetatable({}, { __mode = "k" })

--- A task object; Beam is not asked.
---@param settings beam.settings
---@param id string
---@param record table?
---@return beam.task
function task.new(settings, id, record)
  local self = setmetatable({ id = id, record = record }, meta)
  settings_of[self] = settings
  return self
end

--- Settings for a task's whole life: what was told for its submission but for the time-out, which was that of the submission.
---@param settings beam.settings
---@param options table
---@return beam.settings
function task.settings(settings, options)
  local own = config.override(settings, options)
  own.timeout = nil
  return own
end

local function is_id(value)
  return type(value) == "string" and value:find "^[0-9A-Za-z][0-9A-Za-z._-]*$" ~= nil
end

--- The task with this id. Beam is not asked yet: whether there is one, task:status() says.
---@param settings beam.settings
---@param id string
---@param options beam.options? what this task is told otherwise than its client
---@return beam.task
function task.get(settings, id, options)
  if not is_id(id) then
    mistake("beam.task wants the id of a task")
  end
  errors.check_options(options or {}, config.overrides, "beam.task")
  config.check(options or {}, "beam.task")
  return task.new(task.settings(settings, options or {}), id)
end

task.is_id = is_id
task.submit = function(...)
  return require("beam.task.submit")(...)
end

-- ---- Options ----

-- task:method(seconds) and task:method{ timeout = seconds } are the same. types: "number" is one of seconds, "amount" any other.
local function read_options(given, types, where)
  local options = type(given) == "number" and { timeout = given } or given or {}
  if type(options) ~= "table" then
    mistake(("%s wants a table of options, or a number of seconds"):format(where))
  end
  errors.check_options(options, types, where)
  for name, wanted in pairs(types) do
    local value = options[name]
    if wanted == "number" then
      seconds.check(value, ("%s: option '%s'"):format(where, name), 0)
    elseif value ~= nil and type(value) ~= (wanted == "amount" and "number" or wanted) then
      mistake(("%s: '%s' wants a %s"):format(where, name, wanted == "amount" and "number" or wanted))
    end
  end
  return options
end

local function deadline_of(timeout)
  return timeout and driver.now() + timeout
end

local patience = 30 -- seconds for a cancelled task to end, and for the last lines of one that failed

local only_timeout = { timeout = "number" }

-- With the options of a watch, and logs: how many of the last lines of a task that failed are fetched.
local function with_logs(where, given)
  local types = { logs = "amount" }
  for name, wanted in pairs(require("beam.task.watch").options) do
    types[name] = wanted
  end
  local options = read_options(given, types, where)
  if options.logs and not (options.logs >= 1 and options.logs <= 1000 and options.logs % 1 == 0) then
    mistake(where .. ": 'logs' is a number of lines, from 1 to 1000")
  end
  return options
end

-- ---- States ----

local function get(self, timeout)
  local settings = settings_of[self]
  local record, err = api.of(settings).task(settings, self.id, { timeout = timeout })
  if not record then
    err.task_id = self.id
    return nil, err
  end
  self.record = record
  return record
end

--- Asks for the state.
---@param options { timeout: number? }|number|nil
---@return string? status "PENDING", "RUNNING", "RETRY"; "COMPLETE", "ERROR", "CANCELLED", "TIMEOUT", "EXPIRED" are final; others may come
---@return table|beam.error record Beam's
function Task:status(options)
  local record, err = get(self, read_options(options, only_timeout, "task:status").timeout)
  if not record then
    return nil, err
  elseif type(record.status) ~= "string" then
    local message = "Beam did not say in which state task " .. self.id .. " is"
    return nil, errors.new { kind = "http", message = message, body = record, phase = "response", task_id = self.id }
  end
  return record.status, record
end

local function watch(self, options)
  return require("beam.task.watch").new(settings_of[self], self.id, options, function(record)
    self.record = record
  end)
end

--- The changes of the state, each once, the first being the state it is in; ends with a final state. In a loop, or by events:next().
---@param options beam.watch_options|number|nil
---@return beam.task_events events events.err says afterwards why they ended early
function Task:events(options)
  return watch(self, read_options(options, require("beam.task.watch").options, "task:events"))
end

-- The last lines of a task that did not end well; nil where none can be had: that it failed is the news.
local function last_lines(self, record, options, deadline)
  if not options.logs or record.status == "COMPLETE" then
    return nil
  end
  local timeout = math.max(0.1, math.min(api.left(deadline) or patience, patience))
  return (require("beam.rest.logs").last_of_task(settings_of[self], self.id, options.logs, timeout))
end

---@class beam.wait_options: beam.watch_options
---@field logs integer? so many of the last lines of a task that failed are fetched; at most 1000

local function wait_for_end(self, options)
  local events = watch(self, options)
  while events:next() do -- luacheck: ignore 542 (each change is only waited for)
  end
  if events.err then
    events.err.task_id = self.id
    return nil, events.err
  end
  return self.record
end

--- Waits until the task has ended, in whatever way.
---@param options beam.wait_options|number|nil
---@return table? record Beam's, with a final `status`; nil if that is not known
---@return beam.error? err kind "timeout": the task goes on
---@return string[]? lines the last ones that a task said which did not end as COMPLETE, with options.logs
function Task:wait(options)
  local given = with_logs("task:wait", options)
  local deadline = deadline_of(given.timeout)
  local record, err = wait_for_end(self, given)
  return record, err, record and last_lines(self, record, given, deadline)
end

--- What the task says, line by line: beam.logs of it.
---@param options beam.logs_options? follow: to its end
---@return beam.followed lines
function Task:logs(options)
  local merged = options_of.add({ task = self.id }, options, "task:logs")
  return require("beam.rest.logs").logs(settings_of[self], merged)
end

-- ---- Results ----

-- A handler's result that is no JSON comes as a Python pickle. It is never read: unpickling runs what is in it.
local function read_result(value, codec)
  local alone = type(value) == "table" and type(value.base64) == "string" and next(value, next(value)) == nil
  local bytes = alone and base64.decode(value.base64)
  if bytes then
    return bytes, "pickle"
  elseif codec then -- the record was read by ours
    local result, problem = codec.decode(json.encode(value))
    if problem then
      local message = "the task's result cannot be read by the codec of the client: " .. problem
      return nil, errors.new { kind = "json", message = message, executed = "yes" }
    end
    return result, "json"
  elseif value == nil then
    return json.null, "json"
  end
  return value, "json"
end

--- Waits until the task has ended, and gives what the handler returned.
---@param options beam.wait_options|number|nil
---@return any result nil on failure; beam.null for none
---@return "json"|"pickle"|beam.error form "pickle": result is a string, the bytes of a Python pickle. An error of kind "task": it
---ended otherwise than COMPLETE; with options.logs, err.logs are the last lines that it said
function Task:result(options)
  local given = with_logs("task:result", options)
  local deadline = deadline_of(given.timeout)
  local record, err = wait_for_end(self, given)
  if not record then
    return nil, err
  elseif record.status ~= "COMPLETE" then
    return nil, state.failure(self.id, record, last_lines(self, record, given, deadline))
  elseif record.result == nil then -- older gateways leave it out of their events
    record, err = get(self, api.left(deadline))
    if not record then
      return nil, err
    end
  end
  return read_result(record.result, settings_of[self].json)
end

--- The files the handler saved: Beam is asked anew, as their URLs expire.
---@param options { timeout: number? }|number|nil
---@return { name: string, url: string, expires_in: number? }[]? outputs
---@return beam.error? err
function Task:outputs(options)
  local record, err = get(self, read_options(options, only_timeout, "task:outputs").timeout)
  if not record then
    return nil, err
  end
  return type(record.outputs) == "table" and record.outputs or {}
end

---@class beam.download_options
---@field timeout number? seconds in all
---@field max_body integer? bytes
---@field resume boolean? what has come stays after a failure (path.part), and the next download goes on from there
---@field progress fun(bytes: integer, total: integer?)? told after each piece how much there is, and of how much

--- Streams an output into a file. The file has its name only when it is whole: until then it is `path` with ".part" behind it, and on
--- failure there is none. What is below /dev (/dev/stdout) is written to as it comes.
---@param output string|{ name: string?, url: string } its name, or one of task:outputs()
---@param path string
---@param options beam.download_options?
---@return integer? bytes
---@return beam.error? err
function Task:download(output, path, options)
  local types = { timeout = "number", max_body = "amount", resume = "boolean", progress = "function" }
  local given = read_options(options, types, "task:download")
  if type(path) ~= "string" or path == "" or not (type(output) == "string" or type(output) == "table" and type(output.url) == "string") then
    mistake("task:download wants an output or its name, and a path")
  end
  local name = type(output) == "string" and output or output.name
  path = require("beam.http.file_name").place(path, type(name) == "string" and name or "output")
  return require "beam.task.download"(settings_of[self], self, output, path, given)
end

-- ---- Cancelling ----

--- Ends the task, and makes sure that it has ended: Beam answers a cancelling with 200 whatever becomes of it.
---@param options { timeout: number? }|number|nil
---@return string? status the final one: "CANCELLED", or another, if it was faster
---@return table|beam.error record Beam's
---@return boolean? ended_before it had ended when we came
function Task:cancel(options)
  local given = read_options(options, only_timeout, "task:cancel")
  local deadline = deadline_of(given.timeout or patience)
  local status, record = self:status { timeout = api.left(deadline) }
  if not status or state.is_final(status) then
    return status, record, status and true or nil
  end
  local settings = settings_of[self]
  local done, err = api.of(settings).cancel(settings, { self.id }, { timeout = api.left(deadline) })
  if not done then
    err.task_id = self.id
    return nil, err
  end
  record, err = wait_for_end(self, { timeout = math.max(0, api.left(deadline)) })
  if not record then
    if err.kind == "timeout" then
      err.hint = "Beam took the cancelling, but the task goes on so far: ask task:status() later"
    end
    return nil, err
  end
  return record.status, record, record.status ~= "CANCELLED"
end

return task
