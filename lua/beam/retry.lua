-- When to try again: exponential backoff with full jitter. A wait is drawn from the whole window, so that a thousand clients
-- that lost the same server do not come back at the same time.
--
-- A policy is a function(attempt, err, conn) -> seconds | nil. `attempt` counts the failures in a row, from 1; nil gives up.
local check_options = require("beam.error").check_options
local mistake = require "beam.base.mistake"

local retry = {}

local longest_asked = 15 * 60 -- seconds of a server's Retry-After that are honoured; more would be for ever
local first_attempts = 5 -- of a connection that never was ready

-- ---- Randomness ----

-- Something that no other process has. Without /dev/urandom: the times, and where the system has put a table.
local function seed_of_process()
  local file = io.open("/dev/urandom", "rb")
  local bytes = file and file:read(6)
  if file then
    file:close()
  end
  bytes = bytes or tostring(os.time()) .. tostring(os.clock()) .. tostring {}
  local seed = 0
  for i = 1, #bytes do
    seed = (seed * 257 + bytes:byte(i)) % 2147483647
  end
  return seed
end

--- A generator of its own, the same on every Lua: math.random's state belongs to the script. (Park and Miller's minimal
--- standard; its first numbers follow the seed and are thrown away.)
---@param seed integer
---@return fun(): number from 0 to below 1
function retry.generator(seed)
  local state = seed % 2147483646 + 1
  local function random()
    state = state * 16807 % 2147483647
    return (state - 1) / 2147483646
  end
  for _ = 1, 10 do
    random()
  end
  return random
end

local generator

-- Seeded on first use and not at load: a program that forks loads first.
local function random_of_process()
  generator = generator or retry.generator(seed_of_process())
  return generator()
end

-- ---- Policies ----

---@class beam.backoff_options
---@field base number? seconds of the first window, default 0.5; each further one is twice as long
---@field max number? seconds of the longest window, default 30
---@field attempts integer? gives up after so many tries in a row, not counting the first; default: never
---@field random (fun(): number)? from 0 to below 1; default: a generator with a seed of this process
local known = { base = true, max = true, attempts = true, random = true }

local function check(options)
  check_options(options, known, "beam.retry.backoff")
  for _, name in ipairs { "base", "max", "attempts" } do
    local value = options[name]
    if value ~= nil and not (type(value) == "number" and value >= 0) then
      local wanted = name == "attempts" and "a number" or "a number of seconds"
      mistake(("beam.retry.backoff: '%s' wants %s, 0 or more"):format(name, wanted))
    end
  end
  if options.random ~= nil and type(options.random) ~= "function" then
    error("beam.retry.backoff: 'random' wants a function", 3)
  end
end

--- Tries again what may be tried again (err.retryable), after random() * min(max, base * 2 ^ (attempt - 1)) seconds. What
--- the server asks for with Retry-After (15 minutes at most) is added: the clients it told spread out behind it.
---@param options beam.backoff_options?
---@return fun(attempt: integer, err: beam.error): number?
function retry.backoff(options)
  options = options or {}
  check(options)
  local base, max, random = options.base or 0.5, options.max or 30, options.random or random_of_process
  local attempts = options.attempts or math.huge
  return function(attempt, err)
    if not err.retryable or attempt > attempts then
      return nil
    end
    local asked = math.min(err.retry_after or 0, longest_asked)
    return asked + random() * math.min(max, base * 2 ^ (attempt - 1))
  end
end

local default = retry.backoff()

--- The policy of a connection that was told none: backoff without an end once it was ready (conn.was_ready); before that
--- five attempts in all, as a wrong address may look like a network that is down.
---@param attempt integer
---@param err beam.error
---@param conn { was_ready: boolean }
---@return number? seconds
function retry.default(attempt, err, conn)
  if attempt >= first_attempts and not conn.was_ready then
    return nil
  end
  return default(attempt, err)
end

-- Who is not reached, is not there; who is busy, is so for as long as a cold start takes; a GPU is free in minutes.
local unreachable = retry.backoff { attempts = 4 }
local busy = retry.backoff { attempts = 7 }
local without_capacity = retry.backoff { attempts = 7, base = 5, max = 60 }

--- The policy of a call that was told none: five attempts in all at a server that is not reached, within some 4 s; eight
--- where it answered that it is busy, within some 30 s; the same more slowly where it has no capacity (503), within some 2 minutes.
--- A proxy that gives no tunnel has not reached it, whatever its status; a call has no other password for it than the refused one.
---@param attempt integer
---@param err beam.error
---@return number? seconds
function retry.call(attempt, err)
  if err.phase == "proxy" and (err.status == 401 or err.status == 407) then
    return nil
  elseif err.phase == "proxy" or not err.status then
    return unreachable(attempt, err)
  end
  return (err.status == 503 and without_capacity or busy)(attempt, err)
end

return retry
