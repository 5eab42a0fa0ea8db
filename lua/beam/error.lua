-- The errors that run-time failures return as the second value: tables that a program can decide by and a person can
-- act on. Those that an answer is are made in beam/http/answer_error.lua.
local mistake = require "beam.base.mistake"
local outcome = require "beam.outcome"
local secrets = require "beam.settings.secrets"
local visible = require "beam.base.visible"

---@class beam.error
---@field kind string those of BEAM_ERROR_MAP (core/beam.h), transform, script, queue_full, json, validation, config, interrupted
---@field message string what failed, where; on one line, with nothing in it that a terminal would obey
---@field phase string? how far it had come
---@field host string? "name:port"
---@field status integer? HTTP status
---@field body any? the server's answer, decoded if it is JSON
---@field code integer? close code
---@field reason string? the peer's words on closing
---@field executed "no"|"yes"|"unknown" did Beam run the handler?
---@field retryable boolean may it be tried again without running anything twice?
---@field retry_after number? seconds the server asked for
---@field task_id string?
---@field task_status string? kind "task": the state it ended in; of a watch whose time is over: the last one seen
---@field failure_reason string? kind "task": Beam's words
---@field logs string[]? kind "task": the last lines that it said, where they were asked for
---@field hint string? what to do about it
---@field traceback string? of a script
---@field signal string? kind "interrupted": SIGINT and so on
---@field cause any? the value that a script raised
---@field input any? the message that a transform was given
local Error = {}
Error.__index = Error
Error.__name = "beam.error"

function Error:__tostring()
  local text = self.kind .. ": " .. self.message
  if self.hint then
    text = text .. " (" .. self.hint .. ")"
  end
  for _, line in ipairs(self.logs or {}) do
    text = text .. "\n  | " .. visible.line(line)
  end
  if self.traceback then
    text = text .. "\n" .. self.traceback
  end
  return text
end

local errors = {}

local longest_quote = 400 -- bytes of a server's text in a message; all of it is in `body`

---@param fields table becomes the error
---@return beam.error
function errors.new(fields)
  fields.message, fields.body, fields.reason = secrets.hide(fields.message), secrets.hide(fields.body), secrets.hide(fields.reason)
  local show = fields.kind == "script" and visible.lines or visible.line -- a script's own words may take several lines
  fields.message = fields.message and show(fields.message)
  fields.hint = fields.hint and visible.line(fields.hint)
  fields.executed = fields.executed or "no"
  fields.retryable = fields.retryable or false
  return setmetatable(fields, Error)
end

---@return boolean
function errors.is(value)
  return getmetatable(value) == Error
end

--- Whether it says that the process was told to end, or is what a script made of that.
---@param err beam.error
---@return boolean
function errors.is_interruption(err)
  local cause = err.kind == "script" and err.cause or err
  return errors.is(cause) and cause.kind == "interrupted"
end

--- What a server said, as it may stand in a message: on one line, both ends of it.
---@param text string
---@return string
function errors.quote(text)
  return visible.excerpt(secrets.hide(text), longest_quote)
end

--- Where a hint names the command that shows a task's logs, and the task is known: the command as it is typed.
---@param err beam.error
---@return beam.error err
function errors.point_to_logs(err)
  if err.hint and tostring(err.task_id):find "^[0-9A-Za-z][0-9A-Za-z._-]*$" and err.task_id then
    err.hint = err.hint:gsub("beamlua logs TASK", "beamlua logs " .. err.task_id)
  end
  return err
end

-- ---- What the core says ----

--- The core could not do it.
---@param err beam.core.error
---@param what string? "POST https://…"
---@return beam.error
function errors.from_core(err, what)
  local result = outcome.of_core(err)
  return errors.new {
    kind = err.kind,
    message = what and what .. ": " .. err.message or err.message,
    phase = err.phase,
    host = err.host ~= "" and err.host or nil,
    status = err.status,
    executed = result.executed,
    retryable = result.retryable,
    hint = result.hint,
  }
end

--- A connection could not be made. What was sent then was the upgrade only, which runs no handler.
---@return beam.error
function errors.from_attempt(err, what)
  local result = errors.from_core(err, what)
  if err.sent then
    result.executed, result.hint = "no", nil
    result.retryable = err.kind == "timeout" or err.kind == "closed" or err.kind == "connect"
  end
  return result
end

--- A connection that was open has ended.
---@param what string "wss://…"
---@param code integer
---@param reason string
---@param err beam.core.error? why, if it did not end by a close handshake
---@return beam.error
function errors.from_close(what, code, reason, err)
  local kind = err and err.kind or "closed"
  local result = outcome.of_close(code, kind)
  local message = ("%s was closed with %d%s"):format(what, code, reason ~= "" and ": " .. errors.quote(reason) or "")
  if err then
    message = ("%s: %s"):format(what, err.message)
  end
  return errors.new {
    kind = kind,
    message = message,
    phase = err and err.phase or "closed",
    host = err and err.host ~= "" and err.host or nil,
    code = code,
    reason = reason,
    executed = result.executed,
    retryable = result.retryable,
    hint = result.hint,
  }
end

-- ---- What we say ----

--- A deadline of the caller's own passed.
---@param what string what was waited for
---@param seconds number
---@param fields table? further fields
---@return beam.error
function errors.timeout(what, seconds, fields)
  fields = fields or {}
  fields.kind, fields.message = "timeout", ("no %s within %g s"):format(what, seconds)
  return errors.new(fields)
end

local cannot_wait_here = "a coroutine cannot wait inside table.sort and string.gsub, and on Lua 5.1 neither inside pcall, "
  .. "metamethods and the iterator of a for loop: there, use while and conn:receive()"

--- A coroutine of the user's raised `value`.
---@param value any
---@param thread thread?
---@param traceback string? default: the thread's
---@return beam.error
function errors.from_script(value, thread, traceback)
  local message = tostring(value)
  local across = message:find("attempt to yield across", 1, true)
  return errors.new {
    kind = "script",
    message = message,
    cause = value,
    executed = "unknown",
    hint = across and cannot_wait_here or nil,
    traceback = traceback or debug.traceback(thread),
  }
end

--- Raises for options that are no table, as where a time-out is given in their place.
---@param given any
---@param where string "beam.call"
function errors.check_table(given, where)
  if type(given) ~= "table" then
    mistake(("%s: the options are a table, { name = value }, not a %s"):format(where, type(given)))
  end
end

--- Raises for an option that is not known, and says which one may have been meant.
---@param given table
---@param known table<string, any>
---@param where string "beam.call"
---@param later table<string, string>? options that a later release brings
function errors.check_options(given, known, where, later)
  errors.check_table(given, where)
  for name in pairs(given) do
    if known[name] == nil then
      if later and later[name] then
        mistake(("%s: option '%s' is not available yet"):format(where, name))
      end
      local meant = require("beam.base.suggest")(tostring(name), known)
      local hint = meant and ("; did you mean '%s'?"):format(meant) or ""
      mistake(("%s: unknown option '%s'%s"):format(where, tostring(name), hint))
    end
  end
end

return errors
