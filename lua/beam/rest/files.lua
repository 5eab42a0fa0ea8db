-- Files on their way to and from a volume (docs/wire.md section 7): the URLs that Beam hands out, and the bytes, which go straight to its
-- storage where the workspace has one, and through the gateway where it has none.
local answer_error = require "beam.http.answer_error"
local api = require "beam.rest.api"
local attempts = require "beam.http.attempts"
local driver = require "beam.driver"
local errors = require "beam.error"
local exchange = require "beam.http.exchange"
local fetch = require "beam.http.fetch"
local options_of = require "beam.settings.options"
local percent = require "beam.base.percent"
local protect = require "beam.driver.protect"
local retry = require "beam.retry"
local upload = require "beam.http.upload"
local v1 = require "beam.rest.v1"
local workspace = require "beam.rest.workspace"

local files = {}

-- ---- Paths ----

-- For a path that the workspace's id is put into.
local function template(what, text)
  return "/volume/%s/" .. what .. "/" .. percent.encode(text, "/"):gsub("%%", "%%%%")
end

--- Asks about a file or a folder of a volume: what is "ls", "rm", "generate-download-url" and so on.
---@param text string "volume/path"
---@return any value, beam.error? err
function files.ask(settings, method, what, text, options)
  return v1.ask(settings, method, template(what, text), options or {})
end

--- A URL from which a file can be downloaded without a token, for an hour.
---@param text string "volume/path"
---@return string? url, beam.error? err
function files.download_url(settings, text, timeout)
  local value, err = files.ask(settings, "GET", "generate-download-url", text, { timeout = timeout })
  if err then
    return nil, err
  elseif fetch.is_url(value) then
    return value
  elseif type(value) ~= "string" or value == "" then
    return nil, errors.new { kind = "http", message = "Beam gave no URL for " .. text, phase = "response", body = value }
  end
  local id, problem = workspace.id(settings, timeout) -- a token: the workspace has no storage of its own
  local path = id and template("download-with-token", text):format(id)
  return path and settings.api .. path .. "?token=" .. percent.encode(value), problem
end

-- ---- Sources ----

-- Counts what is read, and tells.
local function with_progress(source, progress)
  local open = source.open
  function source.open()
    local read, close = open()
    local sent = 0
    return read and function()
      local piece, problem = read()
      if piece then
        sent = sent + #piece
        protect.hook(progress, sent, source.size)
      end
      return piece, problem
    end, close
  end
end

local function invalid(message)
  return errors.new { kind = "invalid", message = message }
end

-- What comes from a function without its length goes through a file: a storage wants to know the length beforehand.
local function spool(read)
  local file, why = io.tmpfile()
  local kept = file
  while kept do
    local ok, piece, problem = protect.hook(read)
    if not ok then
      return nil, piece
    elseif type(piece) == "string" then
      kept, why = file:write(piece)
    elseif piece ~= nil then
      return nil, invalid(("the function that gives the body returned a %s instead of a string"):format(type(piece)))
    elseif problem ~= nil then
      return nil, invalid("the body broke off: " .. tostring(problem))
    else
      kept, why = file:seek "set" -- what is left in the buffer is written now
      if kept then
        return file
      end
    end
  end
  return nil, invalid("the file to send cannot be kept for a while: " .. tostring(why))
end

--- What is to be uploaded: a path, an open file, a function.
---@param given string|file*|function
---@param size integer?
---@return beam.upload? source, beam.error? err
function files.source(given, size)
  if type(given) == "string" then
    return upload.source { file = given }
  elseif type(given) == "function" and not size then
    local file, err = spool(given)
    if not file then
      return nil, err
    end
    given = file
  end
  return upload.source { body = given, body_size = size }
end

-- ---- Uploading ----

-- An answer that is no success; a storage's are XML.
local function refusal(what, response, scheme)
  local err = answer_error.from_response(what, response, scheme)
  err.executed, err.hint = "no", response.status == 401 and err.hint or nil
  err.retryable = response.status == 429 or response.status >= 500
  return err
end

local function put(job, auth, left)
  local request = options_of.transport(job.settings)
  request.method, request.url, request.auth, request.timeout = "PUT", job.url, auth, left
  request.headers = { { "content-type", "application/octet-stream" } }
  if job.source.size == 0 then
    request.body = ""
  else
    upload.announce(request, job.source)
  end
  local failure, response = exchange.run(request, nil, job.source.size ~= 0 and job.source or nil)
  request.auth = nil
  local what = "PUT " .. fetch.shown(job.url)
  if errors.is(failure) then
    return nil, failure, response
  elseif failure then
    return nil, api.from_core(failure, what), response
  elseif response.status < 200 or response.status > 299 then
    return nil, refusal(what, response, auth.scheme), response
  end
  return true, nil, response
end

-- Sends it to a URL, and again where that may help: whatever came before is overwritten.
local function send(job, public)
  local timeout = job.deadline and math.max(0.001, api.left(job.deadline)) or job.settings.timeout
  local options = { timeout = timeout, retry = job.retry or retry.call }
  function options.spent()
    return upload.is_spent(job.source)
  end
  local done, err = attempts.run(job.settings, { public = public }, options, function(auth, left)
    return put(job, auth, left)
  end, nil, "beam.upload")
  return done, err
end

local function through_the_gateway(job, text)
  local settings, timeout = job.settings, api.left(job.deadline)
  local name = text:match "^[^/]+"
  local made, err = v1.ask(settings, "POST", template("create", name), { timeout = timeout })
  local id
  if made ~= nil then
    id, err = workspace.id(settings, timeout)
  end
  if not id then
    return nil, err
  end
  job.url = settings.api .. template("upload", text):format(id)
  return send(job, false)
end

--- Uploads to a volume, which is made if there is none of that name.
---@param settings beam.settings
---@param source beam.upload
---@param text string "volume/path"
---@param options { timeout: number?, progress: function?, retry: function? }
---@return true? done, beam.error? err
function files.upload(settings, source, text, options)
  local job = { settings = settings, source = source, retry = options.retry }
  job.deadline = options.timeout and driver.now() + options.timeout
  if options.progress then
    with_progress(source, options.progress)
  end
  for round = 1, 2 do
    local url, err = files.ask(settings, "GET", "generate-upload-url", text, { timeout = api.left(job.deadline) })
    if err and err.status == 405 then
      return through_the_gateway(job, text)
    elseif err then
      return nil, err
    elseif not fetch.is_url(url) then
      return nil, errors.new { kind = "http", message = "Beam gave no URL to upload to", phase = "response", body = url }
    end
    job.url = url
    local done, problem = send(job, true)
    if done or round == 2 or problem.status ~= 403 or upload.is_spent(source) then -- 403: it has expired meanwhile
      return done, problem
    end
  end
end

return files
