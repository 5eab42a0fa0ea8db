-- What beam.map can be told: options of its own, and those of each call.
local mistake = require "beam.base.mistake"
local request = require "beam.http.request"
local seconds = require "beam.settings.seconds"
local types = require "beam.base.types"

local options = {}

---@class beam.map_options: beam.request_options
---@field inputs beam.map_inputs? where they are not given apart
---@field concurrency integer? calls at a time, 1 to 256, default 16
---@field window integer? inputs that were taken and whose results have not been handed over, default 4 times concurrency
---@field ordered boolean? results in the order of the inputs; default: as they come
---@field deadline number? seconds for everything, from the first result that is asked for; timeout is for each call
---@field on_progress fun(done: integer, total: integer?, failed: integer, in_flight: integer)? called after each result; may wait
---@field progress boolean? a line on stderr, if that is a terminal
---@field total integer? how many inputs an iterator will give, for the progress
local option_types = {
  concurrency = "number",
  window = "number",
  ordered = "boolean",
  on_progress = "function",
  progress = "boolean",
  total = "number",
}

local most = 256 -- transfers that the core runs at a time (core/http/curl.h)
local usual = 16

-- Names of a request that make no sense for many.
local single = { "input", "body", "body_size", "file" }

local known = request.known { inputs = true }
known.deadline = true -- seconds, which are checked apart
for name in pairs(option_types) do
  known[name] = true
end
for _, name in ipairs(single) do
  known[name] = nil
end

local function check_whole(name, value, least, largest)
  if value and not (value >= least and value <= largest and value % 1 == 0) then
    local range = largest < math.huge and ("from %d to %d"):format(least, largest) or ("from %d on"):format(least)
    mistake(("beam.map: '%s' is a whole number %s"):format(name, range))
  end
end

local function check(own)
  types.check(own, option_types, "beam.map")
  seconds.check(own.deadline, "beam.map: option 'deadline'")
  check_whole("concurrency", own.concurrency, 1, most)
  check_whole("window", own.window, 1, math.huge)
  check_whole("total", own.total, 0, math.huge)
end

-- What the progress calls it.
local function name_of(gathered)
  local name = gathered[1] or gathered.name or gathered.id or gathered.url or ""
  return (tostring(name):gsub("[?#].*$", ""))
end

--- f(target, inputs, given) and f{ target, inputs = , … }, checked.
---@return beam.request_options call
---@return table own those of the map, with their defaults, and `name`
function options.gather(target, inputs, given)
  local gathered = request.gather("beam.map", known, target, nil, given or inputs ~= nil and {} or nil)
  if inputs ~= nil then
    gathered.inputs = inputs
  end
  local own = { inputs = gathered.inputs, name = name_of(gathered) }
  gathered.inputs = nil
  own.deadline, gathered.deadline = gathered.deadline, nil
  for name in pairs(option_types) do
    own[name], gathered[name] = gathered[name], nil
  end
  check(own)
  own.concurrency = own.concurrency or usual
  own.window = own.window or 4 * own.concurrency
  own.deadline = own.deadline or math.huge
  gathered.input = {} -- so that what cannot have an input is refused at once
  return gathered, own
end

return options
