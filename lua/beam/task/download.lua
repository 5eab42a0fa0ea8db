-- Streams an output of a task into a file: under another name until it is whole, and not at all if it does not get so. What is below /dev
-- is no file that could be exchanged for another: it is written to as it comes, once.
--
-- An output's URL is signed and needs no credentials; they would be a gift to whoever serves it, which is often a storage service. They are
-- sent only to the API's or the gateway's own origin, and only where that asks for them. Redirects are followed, as a gateway points to
-- its storage by them, but never from https to http. An expired URL is asked for anew, once.
local api = require "beam.rest.api"
local ascii = require "beam.ascii"
local attempts = require "beam.http.attempts"
local driver = require "beam.driver"
local errors = require "beam.error"
local options_of = require "beam.settings.options"
local response_stream = require "beam.http.response_stream"

local most_redirects = 5
local longest_silence = 60 -- seconds between two pieces
local redirecting = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
local expiring = { [401] = true, [403] = true, [404] = true, [410] = true }

-- ---- URLs ----

local function origin_of(url)
  local scheme, host = url:match "^([a-z]+)://([^/?#]+)"
  return scheme and scheme .. "://" .. ascii.lower(host)
end

local function shown(url)
  return (url:gsub("[?#].*$", "")) -- the query is what gives access
end

-- RFC 3986, section 5.2, as far as servers use it.
local function resolve(base, location)
  if location:find "^[A-Za-z][0-9A-Za-z+.-]*:" then
    return location
  elseif location:find "^//" then
    return base:match "^([a-z]+:)" .. location
  elseif location:find "^/" then
    return origin_of(base) .. location
  end
  return base:gsub("[?#].*$", ""):gsub("^([a-z]+://[^/]*)$", "%1/"):gsub("[^/]*$", "") .. location
end

local function refuse(url, message, hint)
  return errors.new { kind = "http", message = ("GET %s %s"):format(shown(url), message), phase = "response", hint = hint }
end

-- Where an answer points to; nil and an error if it may not be followed.
local function follow(url, stream)
  local location = stream.headers.location
  local target = location and resolve(url, location)
  if not target or not target:find "^https?://[^/?#@]+" then
    return nil, refuse(url, "was answered with a redirect to nowhere")
  elseif url:find "^https:" and target:find "^http:" then
    return nil, refuse(url, "was answered with a redirect to an unencrypted address", "it is not followed")
  end
  return target
end

-- ---- One transfer ----

local function is_ours(settings, url)
  local origin = origin_of(url)
  return origin == origin_of(settings.api) or origin == origin_of(settings.gateway)
end

local function open(job, url, auth)
  local request = options_of.transport(job.settings)
  request.method, request.url, request.auth = "GET", url, auth
  request.timeout = job.deadline and math.max(0.001, api.left(job.deadline))
  request.max_body = job.max_body
  local stream, failure = response_stream.open(request)
  if not stream then
    return nil, api.from_core(failure, "GET " .. shown(url))
  end
  return stream
end

-- The start of what a server says against it.
local function refusal(stream, url, scheme)
  local body = stream:read(5) or ""
  stream:close()
  local response = { status = stream.status, headers = stream.headers, body = body:sub(1, 4096) }
  local err = errors.from_response("GET " .. shown(url), response, scheme)
  err.executed, err.hint = "no", nil
  err.retryable = stream.status == 429 or stream.status >= 500
  return err
end

local nobody = { scheme = "none" }

-- Opens it, past redirects and a demand for credentials.
local function open_final(job, url)
  local auth = nobody
  for _ = 0, most_redirects do
    local stream, err = open(job, url, auth)
    if not stream then
      return nil, err
    elseif stream.status == 200 then
      return stream
    elseif redirecting[stream.status] then
      url, err = follow(url, stream)
      stream:close()
      if not url then
        return nil, err
      end
      auth = nobody
    elseif stream.status == 401 and auth == nobody and is_ours(job.settings, url) then
      stream:close()
      auth, err = options_of.credentials(job.settings, {})
      if not auth then
        return nil, err
      end
    else
      return nil, refusal(stream, url, auth.scheme)
    end
  end
  return nil, refuse(url, "was redirected too often")
end

local function file_error(path, problem)
  return errors.new { kind = "invalid", message = ("the output cannot be written to %s: %s"):format(path, problem), phase = "response" }
end

-- Copies a stream into an open file. Returns the number of bytes, or nil and an error.
local function copy(job, stream, file)
  local count = 0
  while true do
    local bytes, failure = stream:read(longest_silence)
    if failure then
      return nil, api.from_core(failure, "GET " .. job.shown)
    elseif not bytes then
      return count
    end
    local written, problem = file:write(bytes)
    if not written then
      return nil, file_error(job.path, problem)
    end
    count = count + #bytes
  end
end

-- What a write has left in the buffer fails when it is flushed.
local function finish(job, part, file, count)
  local flushed, problem = file:flush()
  file:close()
  if flushed and part ~= job.path then
    flushed, problem = os.rename(part, job.path)
  end
  if not flushed then
    return nil, file_error(job.path, problem)
  end
  return count
end

local function transfer(job, url)
  local stream, err = open_final(job, url)
  if not stream then
    return nil, err
  end
  local part = job.is_device and job.path or job.path .. ".part"
  local file, problem = io.open(part, job.is_device and "ab" or "wb")
  if not file then
    stream:close()
    return nil, file_error(job.path, problem)
  end
  local count
  count, err = copy(job, stream, file)
  stream:close()
  if count then
    count, err = finish(job, part, file, count)
  else
    file:close()
  end
  if not count and part ~= job.path then
    os.remove(part)
  end
  return count, err
end

-- ---- The output ----

local function find_output(job, wanted)
  local outputs, err = job.task:outputs { timeout = job.deadline and math.max(0, api.left(job.deadline)) }
  if not outputs then
    return nil, err
  end
  local names = {}
  for _, output in ipairs(outputs) do
    if output.name == wanted and type(output.url) == "string" then
      return output.url
    end
    names[#names + 1] = tostring(output.name)
  end
  local hint = names[1] and "it has: " .. table.concat(names, ", ") or "it has none, or not yet"
  local message = ("task %s has no output '%s'"):format(job.task.id, wanted)
  return nil, errors.new { kind = "invalid", message = message, task_id = job.task.id, hint = hint }
end

local function fetch(job, url)
  if not url:find "^https?://[^/?#@]+" then
    return nil, errors.new { kind = "invalid", message = "the output's URL is no http:// or https:// URL", task_id = job.task.id }
  end
  job.shown = shown(url)
  local options = { timeout = job.deadline and math.max(0, api.left(job.deadline)) or job.settings.timeout }
  if job.is_device then
    options.retry = false
  end
  local count, err = attempts.run(job.settings, { public = true }, options, function()
    return transfer(job, url)
  end)
  return count, err
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
---@param options { timeout: number?, max_body: integer? }
---@return integer? bytes, beam.error? err
return function(settings, task, output, path, options)
  local job = {
    settings = settings,
    task = task,
    path = path,
    is_device = path:find "^/dev/" ~= nil and not path:find "^/dev/shm/",
    deadline = options.timeout and driver.now() + options.timeout,
    max_body = options.max_body,
  }
  local count, err
  if type(output) == "table" then
    count, err = fetch(job, output.url)
    if count or not (output.name and expiring[err.status]) then
      return count, of_task(err, task)
    end
    output = output.name
  end
  local url
  url, err = find_output(job, output)
  if url then
    count, err = fetch(job, url)
  end
  return count, of_task(err, task)
end
