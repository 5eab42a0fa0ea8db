-- The headers that a recording shows: those that say what the content is and what is to be done. A header of somebody's own may be a
-- credential, so none is written that is not in this list.
local ascii = require "beam.base.ascii"

local headers = {}

local asked = { ["accept"] = true, ["content-type"] = true }
local answered = {
  ["content-disposition"] = true,
  ["content-type"] = true,
  ["location"] = true,
  ["retry-after"] = true,
  ["x-task-id"] = true,
}

local function keep(list, allowed, secrets)
  local kept = {}
  for _, pair in ipairs(list or {}) do
    local name = ascii.lower(tostring(pair[1]))
    if allowed[name] then
      kept[#kept + 1] = { name, secrets:hide(tostring(pair[2])) }
    end
  end
  return kept
end

--- Those of a request.
---@param list beam.core.headers?
---@return beam.core.headers
function headers.of_request(list, secrets)
  return keep(list, asked, secrets)
end

--- Those of an answer.
---@param list beam.core.headers?
---@return beam.core.headers
function headers.of_answer(list, secrets)
  return keep(list, answered, secrets)
end

return headers
