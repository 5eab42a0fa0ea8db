-- Percent-encoding (RFC 3986 section 2.1).
local percent = {}

local function escape(character)
  return ("%%%02X"):format(character:byte())
end

--- All but the unreserved characters, and those of `kept`.
---@param text string
---@param kept string? further characters that stay: a part of a set in Lua's patterns, "/"
---@return string
function percent.encode(text, kept)
  return (text:gsub("[^0-9A-Za-z._~%-" .. (kept or "") .. "]", escape))
end

local function unescape(digits)
  return string.char(tonumber(digits, 16))
end

--- What is no escape stays as it is.
---@param text string
---@return string
function percent.decode(text)
  return (text:gsub("%%(%x%x)", unescape))
end

return percent
