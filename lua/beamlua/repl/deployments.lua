-- The names of deployments for a tab: Beam is asked while the loop turns, for as long as somebody who pressed it waits, and what it said is
-- good for a while.
local driver = require "beam.driver"

local deployments = {}

local patience = 2 -- seconds
local good_for = 30 -- seconds
local most = 200

local known = setmetatable({}, { __mode = "k" }) -- by beam or client: list, when, asking

-- What a terminal does not obey, and what needs no quotes.
local function is_plain(name)
  return type(name) == "string" and name:find "^[0-9A-Za-z._-]+$" ~= nil
end

local function ask(holder, entry)
  local found = {}
  local list = holder.deployments { active = true, limit = most, timeout = patience }
  local item = list and list:next()
  while item do
    if is_plain(item.name) then
      found[#found + 1] = { name = item.name, kind = item.kind }
    end
    item = list:next()
  end
  entry.list, entry.at = found, driver.now()
end

--- A function that lists what `beam` or a client knows of; nothing, if Beam does not say in time.
---@param turn fun(seconds: number) turns the loop
---@return fun(holder: table): { name: string, kind: string? }[]
function deployments.lister(turn)
  return function(holder)
    local entry = known[holder] or { list = {}, at = -math.huge }
    known[holder] = entry
    local began = driver.now()
    if began - entry.at < good_for then
      return entry.list
    end
    if not entry.task or entry.task.done then
      entry.task = driver.spawn(ask, holder, entry)
      entry.task.joined = true -- its failure is nobody's
    end
    while not entry.task.done and driver.now() - began < patience do
      turn(0.05)
    end
    return entry.list
  end
end

return deployments
