-- beam.core.error, and what methods return whose object is over.
local failure = {}

local meta = { __name = "beam.core.error" }
function meta.__tostring(self)
  return self.message
end

---@param fields table kind, message and what else is not the default
---@return beam.core.error
function failure.new(fields)
  fields.phase = fields.phase or "none"
  fields.host = fields.host or ""
  fields.sent = fields.sent or false
  return setmetatable(fields, meta)
end

function failure.over(what)
  local message = ("this beam.%s is over: it ended, was given back, or its context was closed"):format(what)
  return nil, failure.new { kind = "closed", phase = "closed", message = message }
end

return failure
