-- What Beam posts when a task has ended, and what a workspace's webhooks post: is it Beam's, and is it of now? (docs/wire.md section 8)
--
--   local callback, err = beam.callbacks.verify(body, headers)      -- the workspace's key is asked for, once
--   if callback then print(callback.task_id, callback.status, callback.data) end
local ascii = require "beam.base.ascii"
local base64 = require "beam.base64"
local errors = require "beam.error"
local json = require "beam.json"
local mistake = require "beam.base.mistake"
local moment = require "beam.rest.moment"
local types = require "beam.base.types"

local core = require("beam.base.native").core()

local callbacks = {}

local default_window = 300 -- seconds that a signature is good for, either way: clocks differ

---@class beam.callback
---@field kind "task"|"webhook"
---@field task_id string? of a task
---@field status string? of a task: "COMPLETE", "ERROR"
---@field data any? of a task: what the handler returned; beam.null for none
---@field type string? of a webhook: the event's
---@field id string? of a webhook: the delivery's; what comes again has the same
---@field event table? of a webhook: the CloudEvent
---@field time number seconds since 1970, when it was signed; of a webhook when it happened

---@class beam.verify_options
---@field window number? seconds that it may be old, or ahead; default 300
---@field now number? in place of os.time()
local option_types = { window = "number", now = "number" }

local function refuse(message, hint)
  return nil, errors.new { kind = "auth", message = message, phase = "request", hint = hint }
end

-- ---- Headers ----

-- By name, whatever the case; of one that is there twice nothing, for who knows which one somebody else will read.
local function header_of(headers, wanted)
  local found
  for key, item in pairs(headers) do
    local name, value = key, item
    if type(item) == "table" and type(key) == "number" then
      name, value = item[1], item[2]
    end
    if type(name) == "string" and ascii.lower(name) == wanted then
      if found or type(value) ~= "string" then
        return nil
      end
      found = value
    end
  end
  return found
end

-- ---- Signatures ----

local function hex(bytes)
  return (bytes:gsub(".", function(character)
    return ("%02x"):format(character:byte())
  end))
end

local function is_signed(given, key, text)
  return core.same_bytes(ascii.lower(given), hex(core.hmac_sha256(key, text)))
end

local function is_old(time, options)
  local now = options.now or os.time()
  local is_within = math.abs(now - time) <= (options.window or default_window)
  return not is_within -- a window that is no number has nothing in it
end

local function refuse_stale(time, options)
  local now = options.now or os.time()
  local message = ("the callback was signed more than %g s ago"):format(options.window or default_window)
  if time > now then
    message = "the callback's time is ahead of this machine's clock"
  end
  return refuse(message, "it may have been recorded and sent again; or the clocks differ: see option window")
end

local forged = "the callback's signature is not that of this key"
local forged_hint = "is it this workspace's key, and the body as it came, before anything decoded it?"

-- HMAC of base64(body) ":" timestamp, in hex.
local function verify_task(body, headers, key, options)
  local signature, stamp = header_of(headers, "x-task-signature"), header_of(headers, "x-task-timestamp")
  if not signature or not (stamp or ""):find "^%d+$" or #stamp > 15 then
    return refuse "the callback has no signature with a time"
  elseif not is_signed(signature, key, base64.encode(body) .. ":" .. stamp) then
    return refuse(forged, forged_hint)
  elseif is_old(tonumber(stamp), options) then
    return refuse_stale(tonumber(stamp), options)
  end
  local said, data = json.decode(body), nil
  if type(said) == "table" then
    data = said.data
  end
  return {
    kind = "task",
    task_id = header_of(headers, "x-task-id"),
    status = header_of(headers, "x-task-status"),
    data = data == nil and json.null or data,
    time = tonumber(stamp),
  }
end

-- "sha256=" and the HMAC of the body alone: what says when stands in it.
local function verify_webhook(body, headers, key, options)
  local signature = (header_of(headers, "x-beta9-signature") or ""):match "^sha256=(%x+)$"
  if not signature then
    return refuse "the webhook's signature is none that is known here"
  elseif not is_signed(signature, key, body) then
    return refuse("the webhook's signature is not that of this secret", forged_hint)
  end
  local event = json.decode(body)
  local time = type(event) == "table" and moment.parse(event.time)
  if not time then
    return refuse "the webhook's body is no event with a time"
  elseif is_old(time, options) then
    return refuse_stale(time, options)
  end
  local id = header_of(headers, "x-beta9-delivery") or event.id
  return { type = event.type, id = id, event = event, time = time, kind = "webhook" }
end

-- ---- The key ----

local function read_key(key, fresh)
  if type(key) == "function" then
    return key { fresh = fresh or nil }
  end
  return key
end

local function check(body, headers, key, options)
  if type(body) ~= "string" or type(headers) ~= "table" then
    mistake "beam.callbacks.verify wants the body as it came, a string, and the headers, a table"
  elseif key ~= nil and type(key) ~= "string" and type(key) ~= "function" or key == "" then
    mistake "beam.callbacks.verify: key is a string, or a function that gives one: client.signing_key"
  end
  errors.check_options(options, option_types, "beam.callbacks.verify")
  types.check(options, option_types, "beam.callbacks.verify")
end

--- Whether a request is Beam's and of now. Keys that are asked for are kept; a signature that does not fit has them asked for anew, in case
--- the workspace has another one by now, but not twice within a minute.
---@param body string as it came
---@param headers table by name, in whatever case; or pairs
---@param key string|fun(options: table?): string?, beam.error?|nil a workspace's key; a webhook's secret; default: the default client's
---@param options beam.verify_options?
---@return beam.callback? callback nil: it is not to be trusted
---@return beam.error? err kind "auth"; another one: there is no key
function callbacks.verify(body, headers, key, options)
  options = options or {}
  check(body, headers, key, options)
  key = key or require("beam").signing_key
  local verify = header_of(headers, "x-beta9-signature") and not header_of(headers, "x-task-signature") and verify_webhook or verify_task
  local text, err = read_key(key)
  if not text then
    return nil, err or errors.new { kind = "config", message = "there is no key to verify a callback with" }
  end
  local callback, refused = verify(body, headers, text, options)
  if callback or type(key) == "string" or refused.hint ~= forged_hint then
    return callback, refused
  end
  local fresh = read_key(key, true)
  if not fresh or fresh == text then
    return nil, refused
  end
  return verify(body, headers, fresh, options)
end

--- Starts to listen for callbacks, in a program that has no web server of its own.
---@param options beam.listen_options?
---@return beam.callback_receiver? receiver its url is the callback_url; receiver:wait(task, timeout), receiver:close()
---@return beam.error? err
function callbacks.listen(options)
  return require "beam.callbacks.receiver"(options, callbacks.verify)
end

return callbacks
