-- Tries again: the one place that decides about another attempt at something over HTTP (docs/wire.md section 4).
--
-- Whether a handler may run a second time is for the caller to say (idempotent = true), when to try again is for the retry policy:
--
--   err.executed "no"             the policy decides; the default tries again what is retryable
--   "unknown"                     the same under idempotent; else it is the end
--   "yes"                         under idempotent a retry function of the caller's decides; else it is the end
--   401 before any handler        the token function is asked once more; another token than the refused one gets one try
--
-- All of it, waits and token functions included, is under one deadline. A wait that would pass it is not begun: what failed last is
-- returned at once. Whether a handler may have run in any attempt is in the last one's error.
local driver = require "beam.driver"
local errors = require "beam.error"
local observers = require "beam.observe.observers"
local protect = require "beam.driver.protect"
local log = require "beam.log"
local mistake = require "beam.base.mistake"
local options_of = require "beam.settings.options"
local outcome = require "beam.outcome"
local retry = require "beam.retry"

local attempts = {}

local longest = 4e6 -- seconds, 46 days: what the core's time-outs hold
local certainty = { no = 1, unknown = 2, yes = 3 } -- that a handler ran

---@alias beam.retry_policy fun(attempt: integer, err: beam.error): number? attempt counts the failures in a row, from 1

---@class beam.attempt_options
---@field retry beam.retry_policy|false|nil seconds until the next attempt, nil: there is none; false: never; default retry.call
---@field idempotent boolean? a second run of the handler does no harm
---@field timeout number? seconds for all attempts and waits together, default: that of the settings
---@field scope beam.scope? cancelled: no other attempt, and no wait for one
---@field spent (fun(): boolean)? true: what was to be sent is gone, and no other attempt can be made

--- Raises for options that make no sense.
---@param options beam.attempt_options
---@param where string "beam.call"
function attempts.check(options, where)
  local given = options.retry
  if given and type(given) ~= "function" then
    mistake(("%s: 'retry' wants a function(attempt, err), beam.retry.backoff { attempts = 3 }, or false"):format(where))
  elseif options.idempotent ~= nil and type(options.idempotent) ~= "boolean" then
    mistake(("%s: option 'idempotent' cannot be a %s"):format(where, type(options.idempotent)))
  end
end

local function time_left(self)
  return self.deadline - driver.now()
end

-- ---- Another attempt? ----

-- After a 401 that no handler gave: credentials other than those which were refused get one try at once.
local function renew(self, err)
  if err.status ~= 401 or err.executed ~= "no" or self.renewed or not self.auth then
    return false
  end
  self.renewed = true
  local fresh = options_of.credentials(self.settings, self.target, time_left(self))
  if not fresh or fresh.secret == self.auth.secret then
    return false
  end
  self.fresh = fresh
  return true
end

-- The policy's answer: seconds, or nil.
local function ask(self, err)
  if self.policy == false then
    return nil
  end
  local ok, seconds = protect.hook(self.policy or retry.call, self.failures, err)
  if not ok then
    log.write("error", "retry failed: " .. tostring(seconds))
  elseif type(seconds) == "number" and seconds >= 0 then
    return seconds
  elseif seconds then
    log.write("error", "retry returned " .. tostring(seconds) .. ", and not a number of seconds")
  end
end

local function may_run_again(self, err)
  if err.executed == "no" then
    return true
  elseif self.idempotent then
    err.retryable = err.retryable or outcome.may_pass(err)
    return true
  end
  return false
end

local function sleep(self, seconds)
  if self.scope then
    self.scope:sleep(seconds)
    return not self.scope.canceled
  end
  driver.sleep(seconds)
  return true
end

-- Waits for as long as the policy says. False: there is no other attempt.
local function wait(self, err)
  self.failures = self.failures + 1
  local seconds = may_run_again(self, err) and ask(self, err)
  if not seconds or seconds >= time_left(self) then
    return false
  end
  log.write("info", ("attempt %d failed, the next one follows in %.1f s: %s"):format(self.count, seconds, err.message))
  return sleep(self, seconds)
end

local function another(self, err)
  if self.spent and self.spent() or self.scope and self.scope.canceled then
    return false
  end
  return renew(self, err) or wait(self, err)
end

-- ---- Failures ----

-- A server may say what it was sent. Its body is the caller's to read; the text of an error is for logs, too.
local function hide_credentials(auth, err)
  if auth and auth.secret and err.body ~= nil then
    local known = require("beam.settings.secret_list").new()
    known:learn_auth(auth)
    err.message = known:hide(err.message)
  end
end

-- What one attempt did, the next ones cannot undo: after a lost answer "the queue is full" does not mean that nothing ran.
local function remember(self, err)
  if certainty[err.executed] > certainty[self.executed] then
    self.executed, self.task_id = err.executed, err.task_id
  end
end

local function describe(self, err)
  err.attempts = self.count
  if certainty[err.executed] < certainty[self.executed] then
    err.executed, err.task_id = self.executed, self.task_id or err.task_id
  end
end

-- ---- Attempts ----

-- Asks for the credentials of one attempt. Returns an error if there are none, or no time is left.
local function prepare(self)
  local refused
  self.auth, self.fresh = self.fresh, nil
  if not self.auth then
    self.auth, refused = options_of.credentials(self.settings, self.target, time_left(self))
  end
  if time_left(self) <= 0 then
    return errors.timeout("token", self.timeout), true
  end
  return refused, false
end

-- Goes on after an attempt that failed.
local function run(self, try, err, response)
  local result
  while err do
    hide_credentials(self.auth, err)
    remember(self, err)
    if not another(self, err) then
      break
    end
    local refused, late = prepare(self)
    if late then
      break -- what failed before says more
    end
    self.count = self.count + 1
    result, err, response = nil, refused, nil
    if not refused then
      result, err, response = try(self.auth, attempts.bounded(time_left(self)))
    end
  end
  return result, err, response
end

local function story(settings, target, options, timeout, deadline)
  return {
    settings = settings,
    target = target,
    policy = options.retry,
    idempotent = options.idempotent,
    scope = options.scope,
    spent = options.spent,
    timeout = timeout,
    deadline = deadline,
    count = 1,
    failures = 0, -- that the policy was asked about
    renewed = false,
    executed = "no", -- what is known of all attempts, and the task of the one that is known of
    task_id = nil,
  }
end

--- As run, once the first attempt has failed.
---@param timeout number seconds that there were for all of it
---@param deadline number by driver.now()
---@param auth beam.core.auth? of that attempt
---@param err beam.error
---@param response beam.response?
---@return any result, beam.error? err, beam.response? response, integer count
function attempts.go_on(settings, target, options, try, timeout, deadline, auth, err, response)
  local self = story(settings, target, options, timeout, deadline)
  self.auth = auth
  local result, failure, last = run(self, try, err, response)
  if failure then
    describe(self, failure)
  end
  return result, failure, last, self.count
end

--- Seconds that the core can hold.
---@param seconds number
---@return number
function attempts.bounded(seconds)
  return seconds < longest and seconds or longest
end

-- The first attempt is mostly the last as well, and needs nothing to be remembered.
local function go(settings, target, options, try)
  local timeout = options.timeout or settings.timeout
  local deadline = driver.now() + timeout
  local auth, err = options_of.credentials(settings, target, timeout)
  local left, result, response = deadline - driver.now(), nil, nil
  if left <= 0 then
    err = errors.timeout("token", timeout)
    err.attempts = 0
    return nil, err, nil, 0
  elseif auth then
    result, err, response = try(auth, attempts.bounded(left))
  end
  if err then
    return attempts.go_on(settings, target, options, try, timeout, deadline, auth, err, response)
  end
  return result, nil, response, 1
end

--- Runs `try` until it succeeds or there is no use in another attempt. Waits, in the caller's coroutine.
---@param settings beam.settings after config.override
---@param target beam.target
---@param options beam.attempt_options checked by attempts.check
---@param try fun(auth: beam.core.auth, left: number): any, beam.error?, beam.response? one attempt; `left` seconds until the deadline
---@param request beam.core.http_options? what is sent, for those who look on
---@param name string? who does, for them: "beam.call"
---@return any result of the last attempt
---@return beam.error? err of the last attempt, with err.attempts
---@return beam.response? response of the last attempt, if there was one
---@return integer count of attempts
function attempts.run(settings, target, options, try, request, name)
  local watch = observers.call
  if watch then
    return watch(go, settings, target, options, try, request, name)
  end
  return go(settings, target, options, try)
end

return attempts
