-- Letters of ASCII in the other case, whatever the locale: a Turkish string.lower leaves the I of "X-Task-Id". For the same reason patterns
-- here say [A-Za-z], not %a.
local ascii = {}

local lower, upper = {}, {}

for byte = ("A"):byte(), ("Z"):byte() do
  local capital, small = string.char(byte), string.char(byte + 32)
  lower[capital], upper[small] = small, capital
end

---@param text string
---@return string
function ascii.lower(text)
  return (text:gsub("[A-Z]", lower))
end

---@param text string
---@return string
function ascii.upper(text)
  return (text:gsub("[a-z]", upper))
end

return ascii
