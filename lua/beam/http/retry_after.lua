-- How long a server asks to be left alone (RFC 9110, section 10.2.3): seconds, or a date, which is its clock's: so is the Date of the
-- answer. Beam sends none; a proxy may, and so do collectors of spans.
local parse = require("beam.http.date").parse

--- Seconds; nil: it asks for nothing that can be read.
---@param headers table<string, string>? by their names in lower case
---@return number?
return function(headers)
  local text = headers and headers["retry-after"]
  if not text then
    return nil
  elseif text:find "^%d+$" then
    return tonumber(text)
  end
  local now = os.time()
  local at = parse(text, now)
  return at and math.max(0, at - (parse(headers.date or "", now) or now))
end
