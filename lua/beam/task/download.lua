-- Downloads an output of a task (http/download.lua): by its URL, or by its name, for which Beam is asked. An expired URL is asked for anew,
-- once.
local api = require "beam.rest.api"
local download = require "beam.http.download"
local errors = require "beam.error"
local fetch = require "beam.http.fetch"

local expiring = { [401] = true, [403] = true, [404] = true, [410] = true }

local function find_output(job, wanted)
  local outputs, err = job.task:outputs { timeout = job.deadline and math.max(0, api.left(job.deadline)) }
  if not outputs then
    return nil, err
  end
  local names = {}
  for _, output in ipairs(outputs) do
    local name = type(output) == "table" and output.name
    if name == wanted and type(output.url) == "string" then
      return output.url
    end
    names[#names + 1] = name and tostring(name) or nil
  end
  local hint = names[1] and "it has: " .. table.concat(names, ", ") or "it has none, or not yet"
  local message = ("task %s has no output '%s'"):format(job.task.id, wanted)
  return nil, errors.new { kind = "invalid", message = message, task_id = job.task.id, hint = hint }
end

local function run(job, url)
  if not fetch.is_url(url) then
    return nil, errors.new { kind = "invalid", message = "the output's URL is no http:// or https:// URL", task_id = job.task.id }
  end
  return download.run(job, url)
end

local function of_task(err, task)
  if err then
    err.task_id = task.id
  end
  return err
end

---@param settings beam.settings
---@param task beam.task
---@param output string|{ name: string?, url: string }
---@param path string
---@param options beam.download_options
---@return integer? bytes, beam.error? err
return function(settings, task, output, path, options)
  local job = {
    settings = settings,
    task = task,
    path = path,
    deadline = download.deadline_of(options.timeout),
    max_body = options.max_body,
    resume = options.resume,
    progress = options.progress,
  }
  local count, err
  if type(output) == "table" then
    count, err = run(job, output.url)
    if count or not (output.name and expiring[err.status]) then
      return count, of_task(err, task)
    end
    output = output.name
  end
  local url
  url, err = find_output(job, output)
  if url then
    count, err = run(job, url)
  end
  return count, of_task(err, task)
end
