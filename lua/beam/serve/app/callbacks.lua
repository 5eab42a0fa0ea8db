-- Tells whoever asked that a task has ended, as Beam's runner does (docs/wire.md section 8): a POST, signed; three tries, and none after an
-- answer that did not come in time, so that nothing is delivered twice.
local base64 = require "beam.base64"
local driver = require "beam.driver"
local exchange = require "beam.http.exchange"
local json = require "beam.json"
local log = require "beam.log"
local url = require "beam.serve.url"

local core = require("beam.base.native").core()

local callbacks = {}

local most_tries = 3
local first_pause = 0.5 -- seconds; the next one is twice as long
local passing = { [408] = true, [425] = true, [429] = true }

--- A key that nobody else has.
---@return string
function callbacks.new_key()
  return (url.uuid() .. url.uuid()):gsub("%-", "")
end

local function hex(bytes)
  return (bytes:gsub(".", function(character)
    return ("%02x"):format(character:byte())
  end))
end

--- Notes who is to be told: what the input says wins over what the deployment was told.
---@param task beam.serve.task
---@param input table
function callbacks.expect(task, input)
  local wanted = input.callback_url or task.deployment.options.callback_url
  task.callback_url = type(wanted) == "string" and wanted:find "^https?://[^/?#@]+" and wanted or nil
end

local function request_of(store, task)
  local value = task.returned
  local body = json.encode { data = value == nil and json.null or value } or '{"data":null}'
  local stamp = ("%d"):format(os.time())
  return {
    method = "POST",
    url = task.callback_url,
    body = body,
    auth = { scheme = "none" },
    timeout = 40,
    connect_timeout = 10,
    headers = {
      { "content-type", "application/json" },
      { "X-Task-ID", task.id },
      { "X-Task-Status", task.status },
      { "X-Task-Timestamp", stamp },
      { "X-Task-Signature", hex(core.hmac_sha256(store.signing_key, base64.encode(body) .. ":" .. stamp)) },
    },
  }
end

-- Nil: it was taken. Else why not, and whether another try may be made.
local function try(request)
  local failure, response = exchange.run(request)
  if failure then
    return failure.message, failure.kind ~= "timeout"
  elseif response.status >= 200 and response.status < 300 then
    return nil
  end
  return ("it was answered with %d"):format(response.status), passing[response.status] or response.status >= 500
end

local function send(store, task)
  local request = request_of(store, task)
  task.returned = nil
  for number = 1, most_tries do
    local problem, again = try(request)
    if not problem then
      return
    elseif not again or number == most_tries then
      return log.write("warning", ("the callback of task %s was not delivered: %s"):format(task.id, problem))
    end
    driver.sleep(first_pause * 2 ^ (number - 1))
  end
end

--- A task is in another state: if that is its last one, whoever wants to know is told.
---@param store beam.serve.task_store
---@param task beam.serve.task
function callbacks.changed(store, task)
  if task.callback_url and task:is_final() then
    driver.attend(function()
      send(store, task)
    end)
  end
end

--- GET /api/v1/token/{workspace}/signing-key
local function signing_key(exchange_of)
  exchange_of:json(200, { signing_key = exchange_of.server.app.tasks.signing_key })
end

--- What api/init.lua adds to its routes.
callbacks.routes = { { "^/api/v1/token/([^/]+)/signing%-key$", { GET = signing_key }, workspace = true } }

return callbacks
