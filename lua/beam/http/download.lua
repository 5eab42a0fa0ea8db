-- Streams what a URL gives into a file: under another name until it is whole. What is below /dev is no file that could be exchanged for
-- another: it is written to as it comes, once.
--
-- A transfer that breaks off goes on where it was (Range, If-Range), where the server says by an ETag or a date that it is still the same
-- thing; and so does a later download that is told to resume, by what stands beside the part (path.part.from). Nothing is taken for whole
-- that is shorter or longer than the server said.
local api = require "beam.rest.api"
local attempts = require "beam.http.attempts"
local driver = require "beam.driver"
local errors = require "beam.error"
local fetch = require "beam.http.fetch"
local protect = require "beam.driver.protect"
local retry = require "beam.retry"

local longest_silence = 60 -- seconds between two pieces

---@class beam.download_job: beam.fetch_job
---@field path string
---@field is_device boolean
---@field part string where it goes until it is whole
---@field what string? what an error calls it, default "the output"
---@field resume boolean? what is there of it stays after a failure, and is gone on from
---@field progress fun(bytes: integer, total: integer?)? is told after each piece
---@field have integer bytes that are in the part
---@field validator string? an ETag or a date of what they are of
---@field total integer? bytes of the whole
---@field shown string the URL as errors show it

-- ---- Files ----

local function file_error(job, problem)
  local message = ("%s cannot be written to %s: %s"):format(job.what or "the output", job.path, problem)
  return errors.new { kind = "invalid", message = message, phase = "response" }
end

local function read_line(path)
  local file = io.open(path, "rb")
  local line = file and file:read "*l"
  if file then
    file:close()
  end
  return line
end

local function size_of(path)
  local file = io.open(path, "rb")
  local size = file and file:seek "end" or 0
  if file then
    file:close()
  end
  return size
end

-- What an earlier download has left.
local function find_part(job)
  local validator = job.resume and read_line(job.part .. ".from")
  if validator and validator ~= "" then
    job.have, job.validator = size_of(job.part), validator
  end
end

-- What the part is of, once there is nothing in it of another thing.
local function note_validator(job)
  local file = job.resume and job.validator and io.open(job.part .. ".from", "wb")
  if file then
    file:write(job.validator, "\n")
    file:close()
  end
end

local function forget_part(job)
  os.remove(job.part)
  os.remove(job.part .. ".from")
end

-- ---- One transfer ----

-- What the server says the thing is; a weak ETag does not tell two of the same size apart.
local function validator_of(headers)
  local tag = headers.etag
  if tag and tag:find '^"' then
    return tag
  end
  return headers["last-modified"]
end

local function headers_for(job)
  local list = { { "accept-encoding", "identity" } } -- ranges are of what is sent
  if job.have > 0 and job.validator then
    list[2] = { "range", ("bytes=%d-"):format(job.have) }
    list[3] = { "if-range", job.validator }
  end
  return list
end

-- From where on it comes, and how much there is in all. Nil: it is not what was asked for, and is to be asked for anew.
local function range_of(job, stream)
  if stream.status ~= 206 then
    local length = not stream.headers["content-encoding"] and tonumber(stream.headers["content-length"])
    return stream.status == 200 and 0 or nil, length or nil
  end
  local first, total = (stream.headers["content-range"] or ""):match "^bytes (%d+)%-%d+/(%d*)"
  return tonumber(first) == job.have and job.have or nil, tonumber(total)
end

local function report(job)
  if job.progress then
    protect.hook(job.progress, job.have, job.total)
  end
end

-- Copies a stream into an open file, behind what is there. Returns an error if it broke off.
local function copy(job, stream, file)
  while true do
    local bytes, failure = stream:read(longest_silence)
    if failure then
      return api.from_core(failure, "GET " .. job.shown)
    elseif not bytes then
      return nil
    end
    local written, problem = file:write(bytes)
    if not written then
      return file_error(job, problem)
    end
    job.have = job.have + #bytes
    report(job)
  end
end

local function length_error(job)
  local message = ("GET %s gave %d bytes of %d"):format(job.shown, job.have, job.total)
  return errors.new { kind = "http", message = message, phase = "response", retryable = true }
end

-- Begins anew: what is there is of another thing, or cannot be gone on from.
local function start_over(job, total)
  job.have, job.total = 0, total
end

local function receive(job, stream)
  local first, total = range_of(job, stream)
  if first == nil then
    stream:close()
    start_over(job)
    job.validator = nil
    local message = "GET " .. job.shown .. " gave another part than was asked for"
    return errors.new { kind = "http", message = message, phase = "response", retryable = true }
  elseif first == 0 then
    start_over(job, total)
    job.validator = validator_of(stream.headers)
    os.remove(job.part .. ".from") -- whoever left it: it is not of what comes now
  end
  job.total = total
  local file, problem = io.open(job.part, (job.is_device or first > 0) and "ab" or "wb")
  if not file then
    stream:close()
    return file_error(job, problem)
  elseif first == 0 then
    note_validator(job)
  end
  local err = copy(job, stream, file)
  stream:close()
  local flushed, why = file:flush() -- what a write has left in the buffer fails now
  file:close()
  return err or not flushed and file_error(job, why) or job.total and job.have ~= job.total and length_error(job) or nil
end

local function transfer(job, url)
  job.headers = headers_for(job)
  local stream, err = fetch.open(job, url)
  if not stream then
    return nil, err
  end
  err = receive(job, stream)
  if err and not job.validator then
    job.have = 0 -- nothing says that the rest would be of the same thing
  end
  return not err and job.have or nil, err
end

-- ---- The whole ----

local function finish(job)
  if job.part == job.path then
    return job.have
  end
  local done, problem = os.rename(job.part, job.path)
  os.remove(job.part .. ".from")
  if not done then
    os.remove(job.part)
    return nil, file_error(job, problem)
  end
  return job.have
end

-- As for a call, but that failures after which more has come count anew.
local function patience(job)
  local failures, before = 0, 0
  return function(_, err)
    failures = job.have > before and 1 or failures + 1
    before = job.have
    return retry.call(failures, err)
  end
end

--- Downloads.
---@param job beam.download_job settings, path, deadline, max_body, what, resume, progress
---@param url string
---@return integer? bytes, beam.error? err
local function download(job, url)
  job.is_device = job.path:find "^/dev/" ~= nil and not job.path:find "^/dev/shm/"
  job.part, job.resume = job.is_device and job.path or job.path .. ".part", job.resume and not job.is_device
  job.have, job.shown = 0, fetch.shown(url)
  find_part(job)
  local options = { timeout = job.deadline and math.max(0, api.left(job.deadline)) or job.settings.timeout }
  options.retry = not job.is_device and patience(job) -- false: once
  local count, err = attempts.run(job.settings, { public = true }, options, function()
    return transfer(job, url)
  end, nil, "beam.download")
  if count then
    return finish(job)
  elseif not job.is_device and not (job.resume and job.have > 0) then
    forget_part(job)
  end
  return nil, err
end

--- The deadline of a job that is given so many seconds.
---@param timeout number?
local function deadline_of(timeout)
  return timeout and driver.now() + timeout
end

return { run = download, deadline_of = deadline_of }
