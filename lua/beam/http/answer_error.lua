-- An answer that is an error: what the server said, without the secrets of this process, and what became of the handler (outcome.lua).
local errors = require "beam.error"
local outcome = require "beam.outcome"
local secrets = require "beam.settings.secrets"

local answer_error = {}

--- What a body says went wrong. Three keys exist: `error` (gateway, runner), `message` (HTTP framework), `detail` (runner; a list of
--- {msg=} from FastAPI).
---@param body any decoded
---@return string "" if it says nothing
function answer_error.text_of(body)
  if type(body) ~= "table" then
    return type(body) == "string" and body or ""
  end
  for _, key in ipairs { "error", "message", "detail" } do
    local value = body[key]
    if type(value) == "table" then
      value = type(value[1]) == "table" and value[1].msg or value.message
    end
    if type(value) == "string" and value ~= "" then
      return value
    end
  end
  return ""
end

-- What JSON had escaped shows only now.
local function hide_within(value)
  if type(value) ~= "table" then
    return secrets.hide(value)
  end
  for key, inner in pairs(value) do
    value[key] = hide_within(inner)
  end
  return value
end

--- The body as a value: decoded if it is JSON, else the text; nil if there was none. Without the secrets of this process.
function answer_error.decode_body(text)
  if not text or text == "" then
    return nil
  end
  text = secrets.hide(text)
  if not text:find '^\239?\187?\191?%s*[%[{"]' then
    return text
  end
  local value = require("beam.json").decode(text)
  if value == nil then
    return text
  end
  return hide_within(value)
end

--- What a server repeats of our credentials is not handed on, in a field as little as in a message.
---@param response { headers: table<string, string>, body: string? }
function answer_error.hide(response)
  response.body = secrets.hide(response.body)
  for name, value in pairs(response.headers) do
    response.headers[name] = secrets.hide(value)
  end
end

local function from_answer(fields, what, response, result, scheme)
  local status = response.status
  answer_error.hide(response)
  local said = errors.quote(answer_error.text_of(fields.body))
  fields.status = status
  fields.message = ("%s was answered with %d%s"):format(what, status, said ~= "" and ": " .. said or "")
  fields.executed, fields.retryable, fields.hint = result.executed, result.retryable, result.hint
  if status == 401 and result.executed == "no" then
    fields.hint = outcome.unauthorized(scheme)
  end
  fields.headers, fields.raw = response.headers, response.body
  if response.headers["retry-after"] then
    fields.retry_after = require "beam.http.retry_after"(response.headers)
  end
  fields.task_id = response.headers["x-task-id"]
  return errors.point_to_logs(errors.new(fields))
end

--- A call was answered with a status that is no success.
---@param what string "POST https://…"
---@param response { status: integer, headers: table<string, string>, body: string? }
---@param scheme string how we authenticated
---@return beam.error
function answer_error.from_response(what, response, scheme)
  local body = answer_error.decode_body(response.body)
  local result = outcome.of_call(response.status, answer_error.text_of(body), response.headers["x-task-id"])
  return from_answer({ kind = "http", phase = "response", body = body }, what, response, result, scheme)
end

--- Status 200, and still an error: the input did not fit the handler's schema.
---@return beam.error? err nil if the body says something else
function answer_error.from_validation(what, response, body)
  if type(body) ~= "table" or body.error ~= "ValidationError" then
    return nil
  end
  answer_error.hide(response)
  body = hide_within(body)
  local field = type(body.field) == "string" and body.field ~= "" and (" at '%s'"):format(body.field) or ""
  local said = type(body.message) == "string" and ": " .. errors.quote(body.message) or ""
  return errors.new {
    kind = "validation",
    message = ("%s: the input does not fit the handler%s%s"):format(what, field, said),
    phase = "response",
    status = response.status,
    body = body,
    headers = response.headers,
    raw = response.body,
    task_id = response.headers["x-task-id"],
    hint = "mend the input",
  }
end

--- The status is one of success, and the answer no JSON.
---@return beam.error
function answer_error.from_unreadable(what, response, problem)
  answer_error.hide(response)
  return errors.new {
    kind = "json",
    message = ("%s: the answer is no JSON: %s"):format(what, problem),
    phase = "response",
    status = response.status,
    body = response.body,
    executed = "yes",
    hint = "raw = true gives it as it is",
  }
end

--- An upgrade was answered with something else than 101.
---@return beam.error
function answer_error.from_rejection(what, response, scheme)
  local body = answer_error.decode_body(response.body)
  local result = outcome.of_upgrade(response.status, answer_error.text_of(body))
  return from_answer({ kind = "handshake", phase = "upgrade", body = body }, what, response, result, scheme)
end

return answer_error
