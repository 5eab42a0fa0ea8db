-- Times that a caller gives: one check, one sentence. Infinity is refused: without the option a wait takes as long as it takes, or as long
-- as the default says.
local mistake = require "beam.base.mistake"

local seconds = {}

local longest = 4294967 -- 49 days: what the core's time-outs hold

local function described(value)
  if type(value) ~= "number" then
    return "a " .. type(value)
  elseif value ~= value then
    return "NaN"
  elseif value >= math.huge then
    return "infinity (leave it out for no limit of your own)"
  end
  return ("%g"):format(value)
end

local function is_finite(value)
  return type(value) == "number" and value > -math.huge and value < math.huge
end

--- Whether it is a number of seconds that a time-out can have.
---@param value any
---@param least number? default: above 0
local function fit(value, least)
  return type(value) == "number" and value <= longest and (least and value >= least or not least and value > 0)
end

seconds.fit = fit

--- What is wrong with it, as a sentence.
---@param what string "beam.call: option 'timeout'"
function seconds.problem(value, what, least)
  local range = not least and " above 0" or least == 0 and ", 0 or more" or ""
  if is_finite(value) and value > longest then
    range = (", at most %d"):format(longest)
  end
  return ("%s wants a number of seconds%s, not %s"):format(what, range, described(value))
end

--- Raises unless it is nil or fits, at the caller's line.
---@param value any
---@param what string "beam.call: option 'timeout'"
---@param least number? default: above 0
function seconds.check(value, what, least)
  if value ~= nil and not fit(value, least) then
    mistake(seconds.problem(value, what, least))
  end
end

--- The same of how long to wait for something: what is not above 0 means not at all.
---@param value any
---@param what string "conn:receive"
function seconds.check_wait(value, what)
  if value ~= nil and not is_finite(value) then
    mistake(seconds.problem(value, what, -math.huge))
  end
end

return seconds
