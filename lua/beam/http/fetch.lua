-- Opens what a URL gives, past redirects and a demand for credentials.
--
-- A URL that is handed out is signed and needs no credentials; they would be a gift to whoever serves it, which is often a storage service.
-- They are sent only to the API's or the gateway's own origin, and only where that asks for them. Redirects are followed, as a gateway
-- points to its storage by them, but never from https to http.
local answer_error = require "beam.http.answer_error"
local api = require "beam.rest.api"
local ascii = require "beam.base.ascii"
local errors = require "beam.error"
local options_of = require "beam.settings.options"
local response_stream = require "beam.http.response_stream"

local fetch = {}

local most_redirects = 5
local redirecting = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
local nobody = { scheme = "none" }

-- ---- URLs ----

local function origin_of(url)
  local scheme, host = url:match "^([a-z]+)://([^/?#]+)"
  return scheme and scheme .. "://" .. ascii.lower(host)
end

--- A URL without its query, which is what gives access.
---@param url string
---@return string
function fetch.shown(url)
  return (url:gsub("[?#].*$", ""))
end

---@param url any
---@return boolean
function fetch.is_url(url)
  return type(url) == "string" and url:find "^https?://[^/?#@]+" ~= nil and not url:find "^https?://[^/?#]*@"
end

-- RFC 3986, section 5.2, as far as servers use it.
local function resolve(base, location)
  if location:find "^[A-Za-z][0-9A-Za-z+.-]*:" then
    return location
  elseif location:find "^//" then
    return base:match "^([a-z]+:)" .. location
  elseif location:find "^/" then
    return origin_of(base) .. location
  elseif location:find "^%?" then
    return base:gsub("[?#].*$", "") .. location
  end
  return base:gsub("[?#].*$", ""):gsub("^([a-z]+://[^/]*)$", "%1/"):gsub("[^/]*$", "") .. location
end

--- Whether a URL is the API's or the gateway's, which may have the credentials.
---@param settings beam.settings
---@param url string
---@return boolean
function fetch.is_ours(settings, url)
  local origin = origin_of(url)
  return origin == origin_of(settings.api) or origin == origin_of(settings.gateway)
end

-- ---- Answers ----

local function refuse(url, message, hint)
  return errors.new { kind = "http", message = ("GET %s %s"):format(fetch.shown(url), message), phase = "response", hint = hint }
end

-- Where an answer points to; nil and an error if it may not be followed.
local function follow(url, stream)
  local location = stream.headers.location
  local target = location and resolve(url, location)
  if not target or not fetch.is_url(target) then
    return nil, refuse(url, "was answered with a redirect to nowhere")
  elseif url:find "^https:" and target:find "^http:" then
    return nil, refuse(url, "was answered with a redirect to an unencrypted address", "it is not followed")
  end
  return target
end

-- The start of what a server says against it.
local function refusal(stream, url, scheme)
  local body = stream:read(5) or ""
  stream:close()
  local response = { status = stream.status, headers = stream.headers, body = body:sub(1, 4096) }
  local err = answer_error.from_response("GET " .. fetch.shown(url), response, scheme)
  err.executed, err.hint = "no", nil
  err.retryable = stream.status == 429 or stream.status >= 500
  return err
end

-- ---- Opening ----

local function open(job, url, auth)
  local request = options_of.transport(job.settings)
  request.method, request.url, request.auth = "GET", url, auth
  request.timeout = job.deadline and math.max(0.001, api.left(job.deadline))
  request.max_body = job.max_body
  request.headers = job.headers
  local stream, failure = response_stream.open(request)
  request.auth = nil
  if not stream then
    return nil, api.from_core(failure, "GET " .. fetch.shown(url))
  end
  return stream
end

---@class beam.fetch_job
---@field settings beam.settings
---@field deadline number? by driver.now()
---@field max_body integer?
---@field headers beam.core.headers? sent to whoever is asked

--- Opens it. Statuses other than 200, 206 and 416 are errors.
---@param job beam.fetch_job
---@param url string
---@return beam.response_stream? stream, beam.error? err
function fetch.open(job, url)
  local auth = nobody
  for _ = 0, most_redirects do
    local stream, err = open(job, url, auth)
    if not stream then
      return nil, err
    elseif stream.status == 200 or stream.status == 206 or stream.status == 416 then
      return stream
    elseif redirecting[stream.status] then
      url, err = follow(url, stream)
      stream:close()
      if not url then
        return nil, err
      end
      auth = nobody
    elseif stream.status == 401 and auth == nobody and fetch.is_ours(job.settings, url) then
      stream:close()
      local left = job.deadline and math.max(0.001, api.left(job.deadline)) or job.settings.timeout
      auth, err = options_of.credentials(job.settings, {}, left)
      if not auth then
        return nil, err
      end
    else
      return nil, refusal(stream, url, auth.scheme)
    end
  end
  return nil, refuse(url, "was redirected too often")
end

return fetch
