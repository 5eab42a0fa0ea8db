-- What became of it: did Beam run the handler, may it be tried again, what can the user do? One table for each way to
-- fail.
--
-- The rows are those of docs/wire.md, sections 3 to 5. The rule behind them: never a second run by accident. Where nobody
-- can know, `executed` is "unknown" and `retryable` false.
local close_codes = require "beam.outcome.close_codes"

local outcome = {}

local NO, YES, UNKNOWN = "no", "yes", "unknown"
local redirected = "redirects are not followed, as they would carry the credentials along: use the final address"

-- What the runner says before it calls the handler.
local function not_begun(words)
  return { says = words, executed = NO, retryable = true, hint = "the container could not begin with it: try again" }
end

-- A call's HTTP status. Of the rows of a status the first holds whose `says` is in the server's text; the one without
-- `says` is the last. alone = true: it is all that the server says, or its beginning, and no task was made: a handler's traceback may have
-- the words in it.
local calls = {
  [304] = { { executed = UNKNOWN, hint = "nothing has changed since what If-None-Match or If-Modified-Since names: there is no body" } },
  [400] = {
    { says = "invalid request payload", executed = NO, hint = "Beam wants a JSON object as input" },
    { says = "Deployment is not active", executed = NO, hint = "start the deployment again in Beam's dashboard" },
    { says = "Invalid deployment version", executed = NO, hint = "a version is v and a number, or latest" },
    { says = "Invalid deployment", executed = NO, hint = "check the deployment's name, version and kind, and its workspace" },
    { says = "Task ID missing", executed = NO, hint = "something on the way took Beam's X-Task-Id away: call the gateway itself" },
    { says = "Invalid stub", executed = NO, hint = "there is no such id, or it is of another kind or workspace" },
    { says = "invalid stub id", executed = NO, hint = "take the id from the deployment's page, or use its name" },
    { executed = NO, hint = "check the input against what the handler takes" },
  },
  [401] = { { executed = NO } }, -- the hint depends on the credentials: outcome.unauthorized
  [403] = { { executed = NO, hint = "the token is valid, but not for this deployment: check the workspace" } },
  [404] = {
    { executed = NO, hint = "nothing is deployed under this address: check name, version and kind with beam.address(target)" },
  },
  [405] = { { executed = NO, hint = "an endpoint takes GET and POST: other methods are for apps of kind asgi" } },
  [409] = {
    { says = "Gateway rejected task start", executed = NO, hint = "its task was cancelled, or given to another container" },
    { executed = UNKNOWN },
  },
  [413] = { { executed = NO, hint = "the input is too large for the gateway: pass a URL to it instead" } },
  [429] = {
    { says = "exceeded max pending tasks", executed = NO, retryable = true, hint = "too many tasks are waiting: try again later" },
    { says = "Request queue full", executed = NO, retryable = true, hint = "the deployment's queue is full: try again later" },
    { executed = NO, retryable = true, hint = "too many requests: try again later" },
  },
  [500] = {
    {
      says = "concurrency_limit_reached",
      alone = true,
      executed = NO,
      retryable = true,
      hint = "the workspace's limit is reached: try again when something has ended",
    },
    { executed = YES, hint = "the handler failed: its traceback is in err.body, or see beamlua logs TASK" },
  },
  [502] = {
    not_begun "Gateway failed to start task",
    {
      says = "Backend route unavailable",
      executed = UNKNOWN,
      hint = "the container was lost; the handler may have run: err.task_id says which task it was",
    },
    { executed = UNKNOWN, hint = "a gateway on the way failed; the handler may have run" },
  },
  [503] = {
    not_begun "Container task lifecycle capacity exhausted",
    not_begun "Gateway temporarily unavailable while starting task",
    { says = "No compute capacity", executed = NO, retryable = true, hint = "no such GPU is free: try again in minutes" },
    { executed = UNKNOWN, hint = "the service is not available; whether the handler ran is not known" },
  },
  [504] = {
    { says = "Timed out waiting for a backend", executed = NO, retryable = true, hint = "no container came up in time: try again" },
    { executed = UNKNOWN, hint = "a deadline passed on the way; the handler may still be running" },
  },
}

--- For those who explain it (beamlua explain). Not to be changed.
outcome.calls = calls

-- What a rejected upgrade may bring after a while. No handler runs before the 101.
local passing = { [429] = true, [500] = true, [502] = true, [503] = true, [504] = true }

outcome.closes = close_codes.all

-- Errors of the core before anything was sent. A certificate does not get better by itself.
local before_sent = { dns = true, connect = true, tls = true, timeout = true, closed = true }

---@alias beam.outcome { executed: "no"|"yes"|"unknown", retryable: boolean, hint: string? }

local function fits(row, text, task_id)
  local place = not row.says and 1 or text:find(row.says, 1, true)
  return place and not (row.alone and (place > 1 or task_id))
end

local function row_for(rows, text, task_id)
  for _, row in ipairs(rows) do
    if fits(row, text, task_id) then
      return row
    end
  end
end

--- A call was answered with a status that is no success.
---@param status integer
---@param text string what the server said
---@param task_id string? the task of the answer: a handler may answer with any status
---@return beam.outcome
function outcome.of_call(status, text, task_id)
  local rows = calls[status]
  local row = rows and row_for(rows, text, task_id)
  if row and row.says then
    return { executed = row.executed, retryable = row.retryable or false, hint = row.hint }
  elseif task_id and status < 500 then
    return { executed = YES, retryable = false, hint = "the handler itself answered with this status" }
  elseif row then
    return { executed = row.executed, retryable = row.retryable or false, hint = row.hint }
  end
  return { executed = UNKNOWN, retryable = false, hint = status >= 300 and status < 400 and redirected or nil }
end

-- Who forwards a request without its Upgrade makes a plain one of it, and the server answers that.
local not_passed_on = {
  [200] = { hint = "this address serves HTTP only, or something on the way (a proxy) does not pass the Upgrade header on" },
  [400] = { hint = "the request was found wrong, or something on the way (a proxy) does not pass the Upgrade header on" },
  [426] = { hint = "another protocol is wanted, or something on the way (a proxy) does not pass the Upgrade header on" },
}

--- An upgrade was answered with something else than 101.
---@return beam.outcome
function outcome.of_upgrade(status, text)
  local row = calls[status] and row_for(calls[status], text)
  local hint = row and row.hint
  if not_passed_on[status] and not (row and row.says) then
    hint = not_passed_on[status].hint
  elseif status == 404 then
    hint = "no app of kind asgi is deployed under this address (check name and version), or a proxy does not pass the Upgrade header on"
  elseif status >= 500 and not (row and row.says) then
    hint = "the app or the gateway failed before the connection was made: beamlua logs NAME says more"
  elseif not hint and status >= 300 and status < 400 then
    hint = redirected
  end
  return { executed = NO, retryable = passing[status] or false, hint = hint }
end

--- What to say on 401.
---@param scheme string how we authenticated: beam.core.auth's scheme
function outcome.unauthorized(scheme)
  if scheme == "basic" then
    return "client id and secret are Beam's older API keys; newer deployments want a Bearer token: set BEAM_TOKEN or pass token="
  elseif scheme == "none" then
    return "no credentials were sent: set BEAM_TOKEN, pass token=, or log in with Beam's own command line tool"
  end
  return "the token was not accepted: check it (beamlua doctor says where it is from), and the workspace it belongs to"
end

-- A proxy's refusal of a tunnel: whether it may say something else later, with other credentials for instance.
local proxies = {
  [401] = { retryable = true, hint = "it is the proxy that wants credentials: proxy = 'http://user:password@host:port'" },
  [403] = { hint = "it is the proxy's rule, not Beam's: ask who runs it, or name the host in no_proxy to go without it" },
  [404] = { hint = "the proxy knows no such host, or is no proxy: check both addresses" },
  [405] = { hint = "is it a proxy, and may it tunnel (CONNECT)?" },
  [502] = { retryable = true, hint = "the proxy found no way to the host: check the address, and the proxy's own network" },
}
proxies[407], proxies[400], proxies[501] = proxies[401], proxies[405], proxies[405]
proxies[500], proxies[503], proxies[504] = proxies[502], proxies[502], proxies[502]

local function of_proxy(status)
  local row = proxies[status] or { retryable = status == 408 or status == 429 or status >= 500 }
  return { executed = NO, retryable = row.retryable or false, hint = row.hint }
end

-- Nobody listens on this machine's port. The system's words for it come in two cases, from libuv and from libcurl.
local function is_refused_here(err)
  local host = err.kind == "connect" and err.host or ""
  local is_here = host:find "^127%." or host:find "^localhost:" or host:find("[::1]", 1, true) == 1
  return is_here and err.message:find "[Cc]onnection refused" and not err.message:find("proxy", 1, true)
end

--- The core could not do it.
---@param err beam.core.error
---@return beam.outcome
function outcome.of_core(err)
  if err.phase == "proxy" and err.status and not err.sent then
    return of_proxy(err.status)
  end
  if err.sent then
    return { executed = UNKNOWN, retryable = false, hint = "the request may have arrived: the handler may run, or run on" }
  end
  local final = err.kind == "tls" and (err.message:find("certificate", 1, true) or err.message:find("no TLS is spoken", 1, true))
  local hint = is_refused_here(err) and "nothing listens there: beamlua serve starts the local Beam" or nil
  return { executed = NO, retryable = before_sent[err.kind] and not final or false, hint = hint }
end

-- Errors after which nobody knows, but for those that the next attempt would bring, too.
local lost = { http = true, timeout = true, closed = true, connect = true, tls = true }

--- Where the handler may have run: is there a use in another attempt, if it does no harm? A status between 300 and 499 stays what it is.
---@param err beam.error
---@return boolean
function outcome.may_pass(err)
  local answered = err.status or 0
  return err.executed == UNKNOWN and lost[err.kind] == true and (answered < 300 or answered >= 500)
end

outcome.of_close = close_codes.outcome

return outcome
