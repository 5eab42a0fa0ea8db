-- Faults on demand as they are written, and what each of them wants: "cold=3s,slots=1,status=429:3,drop_after=5..50@20%".
--
--   faults   one or more, with commas between:  NAME[=VALUE][:TIMES][@CHANCE%]
--   VALUE    a time (3s, 250ms, 2m; 3 is 3 s), a number, a status, a close code; LOW..HIGH is drawn anew each time
--   AFTER    a number of messages that the app has answered, or a time (with its unit) since the connection opened
--   :TIMES   only so many times, then never again         @CHANCE%  each time with this chance
--
-- Of several faults that fit, the first in the order they are written happens: status=429:2,status=503:1 is 429, 429, 503, and then
-- everybody is let in.
local suggest = require "beam.base.suggest"

local syntax = {}

---@class beam.serve.fault
---@field name string what happens
---@field low number? the value
---@field high number?
---@field unit "messages"|"seconds"|nil of a value that may be either
---@field code integer? a close code
---@field reason string? why a runner refuses
---@field times integer how often it may still happen
---@field chance number 0 to 1

local units = { ms = 0.001, s = 1, m = 60, h = 3600, [""] = 1 }

-- "20ms..1s" -> 0.02, 1
local function seconds(text, fault)
  local low, low_unit, high, high_unit = text:match "^([%d.]+)([A-Za-z]*)%.%.([%d.]+)([A-Za-z]*)$"
  if not low then
    low, low_unit = text:match "^([%d.]+)([A-Za-z]*)$"
    high, high_unit = low, low_unit
  elseif low_unit == "" then
    low_unit = high_unit
  end
  local lowest, highest = tonumber(low), tonumber(high)
  if not lowest or not highest or not units[low_unit] or not units[high_unit] then
    return nil, "a time like 3s, 250ms or 1s..5s"
  end
  fault.low, fault.high, fault.unit = lowest * units[low_unit], highest * units[high_unit], "seconds"
  return fault.low <= fault.high or nil, "the lower value first"
end

local function count(text, fault)
  local low, high = text:match "^(%d+)%.%.(%d+)$"
  fault.low, fault.high, fault.unit = tonumber(low or text:match "^%d+$"), tonumber(high or text:match "^%d+$"), "messages"
  if not fault.low then
    return nil, "a whole number"
  end
  return fault.low <= fault.high or nil, "the lower value first"
end

local function after(text, fault)
  local read = text:find "[A-Za-z]" and seconds or count
  return read(text, fault), "a number of messages like 10 or 5..50, or a time like 2s"
end

local function at_once(text, fault)
  fault.low, fault.high, fault.unit = 0, 0, "messages"
  return text == "" or nil, "no value"
end

local function slots(text, fault)
  fault.low = tonumber(text:match "^[1-9]%d*$")
  return fault.low, "a number above 0"
end

local function status(text, fault)
  fault.low = tonumber(text:match "^[2345]%d%d$")
  fault.high = fault.low
  return fault.low, "a status from 200 to 599"
end

local function close_code(text, fault)
  local code, moment = text:match "^(%d+)/?(.*)$"
  fault.code = tonumber(code)
  local range = fault.code and (fault.code >= 1000 and fault.code <= 1014 or fault.code >= 3000 and fault.code <= 4999)
  if not range or fault.code >= 1004 and fault.code <= 1006 then
    return nil, "a close code that may be sent, like 1012 or 1012/AFTER"
  elseif moment == "" then
    return at_once("", fault)
  end
  return after(moment, fault)
end

local function hang_up(text, fault)
  fault.reset = text == "reset"
  return text == "" or fault.reset or nil, "no value, or 'reset'"
end

-- The handler has run: what becomes of its answer.
local function lost(text, fault)
  if text == "" or text == "reset" then
    return hang_up(text, fault)
  end
  return status(text, fault), "a status from 200 to 599, 'reset', or no value"
end

-- A request to the API: refused, hung up on, or answered later.
local function api(text, fault)
  if text == "hang_up" or text == "reset" then
    return hang_up(text == "reset" and text or "", fault)
  elseif text:find "[A-Za-z]" then
    return seconds(text, fault)
  end
  return status(text, fault), "a status from 200 to 599, 'hang_up', 'reset', or a time with its unit"
end

-- Why a runner does not start a task.
local refusals = { rejected = 409, capacity = 503, unavailable = 503, failed = 502, no_task_id = 400 }

local function runner(text, fault)
  fault.reason, fault.low = text, refusals[text]
  return fault.low, "rejected, capacity, unavailable, failed or no_task_id"
end

local function nothing(text)
  return text == "" or nil, "no value"
end

-- As it is written = { what happens, how its value is read, "setting" if it holds all the time }.
local known = {
  cold = { "cold", seconds },
  latency = { "latency", seconds },
  status = { "status", status },
  hang_up = { "hang_up", hang_up },
  lost = { "lost", lost },
  slow = { "slow", seconds },
  cut = { "cut", after },
  cut_inside = { "cut_inside", after },
  api = { "api", api },
  watch = { "watch", api },
  slots = { "slots", slots, "setting" },
  ghost = { "ghost", seconds, "setting" },
  retry_after = { "retry_after", seconds, "setting" },
  runner = { "runner", runner },
  block = { "block", seconds },
  no_ping = { "no_ping", nothing },
  no_first_ping = { "no_first_ping", nothing },
  drop_after_101 = { "drop", at_once },
  drop_after = { "drop", after },
  reset = { "reset", at_once },
  reset_after = { "reset", after },
  close = { "close", close_code },
  silence = { "silence", at_once },
  silence_after = { "silence", after },
  zombie = { "zombie", at_once },
  zombie_after = { "zombie", after },
}

--- For `beamlua serve --help`.
syntax.help = [[
faults (--fault NAME[=VALUE][:TIMES][@CHANCE%], several with commas between, as in --fault cold=3s,slots=1,status=429:3):
  cold=TIME         a container takes this long to start: who comes first, and meanwhile, waits (504 after 15.5 minutes)
  slots=N           N realtime connections for each deployment, the next ones wait in the handshake; Beam's default is 1
  ghost=TIME        a connection that ended without a close frame holds its slot this much longer
  latency=TIME      every answer comes this much later
  status=CODE       upgrades and calls are refused, with Beam's own words; retry_after=TIME adds the header
  hang_up[=reset]   the connection is closed instead of an answer
  lost[=CODE]       the handler runs (a task is taken), then its answer is lost: CODE comes instead; lost, lost=reset: nothing comes
  slow=TIME         the handler runs, and its answer comes this much later
  cut=AFTER         a streamed answer (or that of a task's states) is cut after so many events; cut_inside=AFTER: inside the next one
  api=CODE          what is asked of /api/v1 and /v2 is refused; api=hang_up, api=reset: not answered; api=TIME: answered later
  watch=CODE        the same for the stream of a task's states alone
  runner=REASON     the runner refuses to start a call's task, and says why: rejected (409), capacity or unavailable (503), failed (502),
                    no_task_id (400); a connection is lost after its 101
  block=TIME        a handler that holds the app's one thread: no connection of the app is read from or answered, not even pings
  no_ping           no app pings; no_first_ping: the first is lost, as whatever an app sends together with the 101
  drop_after_101    101, then TCP is closed without a close frame; drop_after=AFTER: later
  reset, silence, zombie, or reset_after=AFTER and so on: a TCP reset; nothing sent or read any more; no app pings and
                    no answers, though WebSocket pings still are answered
  close=CODE        a close frame with this code; close=CODE/AFTER: later
TIME is 3s, 250ms, 2m; AFTER is a number of answered messages (of events) or a TIME; LOW..HIGH is drawn anew each time.
:TIMES limits how often it happens, @CHANCE% is its chance each time; of several that fit the first one happens.]]

-- Takes "@20%" and ":3" off the end. Returns the rest.
local function modifiers(text, fault)
  local rest, percent = text:match "^(.-)@([%d.]+)%%$"
  if rest then
    text, fault.chance = rest, (tonumber(percent) or 101) / 100
  end
  local before, times = text:match "^(.-):(%d+)$"
  if before then
    text, fault.times = before, tonumber(times)
  end
  return text
end

-- One fault, or nil and what is wrong with it.
local function read(text)
  local fault = { times = math.huge, chance = 1 }
  local name, sign, value = modifiers(text, fault):match "^([0-9A-Za-z_]+)(=?)(.*)$"
  local row = known[name]
  if not row then
    local meant = suggest(name or text, known)
    return nil, "there is no such fault" .. (meant and (": did you mean '%s'?"):format(meant) or "")
  elseif sign == "" and value ~= "" or fault.chance > 1 then
    return nil, "it is written NAME[=VALUE][:TIMES][@CHANCE%]"
  elseif row[3] and (fault.chance < 1 or fault.times < math.huge) then
    return nil, "it holds all the time, without TIMES or CHANCE"
  end
  fault.name = row[1]
  local ok, wanted = row[2](value, fault)
  if not ok then
    return nil, "it wants " .. wanted
  end
  return fault
end

-- { slots = 1, status = "429:3", "drop_after_101" } -> { "drop_after_101", "slots=1", "status=429:3" }
local function texts_of(given)
  local texts, named = {}, {}
  for key, value in pairs(given) do
    if type(key) == "string" and value then
      named[#named + 1] = value == true and key or key .. "=" .. tostring(value)
    end
  end
  table.sort(named)
  for _, text in ipairs(given) do
    texts[#texts + 1] = text
  end
  for _, text in ipairs(named) do
    texts[#texts + 1] = text
  end
  return texts
end

--- Faults as one text.
---@param given string|table|nil
---@return string
function syntax.text(given)
  return type(given) == "table" and table.concat(texts_of(given), ",") or given or ""
end

--- Reads faults: a text, or a table of texts and of name = value.
---@param given string|table|nil
---@return beam.serve.fault[]? faults, string? problem
function syntax.parse(given)
  if given ~= nil and type(given) ~= "string" and type(given) ~= "table" then
    return nil, "faults are a text or a table, not a " .. type(given)
  end
  local list = {}
  for _, text in ipairs(type(given) == "table" and texts_of(given) or { given }) do
    for one in text:gmatch "[^,%s]+" do
      local fault, problem = read(one)
      if not fault then
        return nil, ("fault '%s': %s"):format(one, problem)
      end
      list[#list + 1] = fault
    end
  end
  return list
end

return syntax
