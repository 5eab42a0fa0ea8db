-- Base64 (RFC 4648, section 4), as far as it is read: results that are no JSON come in it.
local base64 = {}

local values = {}
for i = 1, 64 do
  values[("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):byte(i)] = i - 1
end

local floor, char = math.floor, string.char

local function decode_four(a, b, c, d)
  local bits = values[a] * 262144 + values[b] * 4096 + values[c] * 64 + values[d]
  return char(floor(bits / 65536), floor(bits / 256) % 256, bits % 256)
end

--- The bytes; nil for what is no base64 (padding may be missing).
---@param text string
---@return string?
function base64.decode(text)
  local body = text:match "^([%w+/]*)=?=?$"
  if not body or #body % 4 == 1 then
    return nil
  end
  local missing = -#body % 4
  body = body .. ("A"):rep(missing)
  local pieces = {}
  for i = 1, #body, 4 do
    pieces[#pieces + 1] = decode_four(body:byte(i, i + 3))
  end
  local bytes = table.concat(pieces)
  return bytes:sub(1, #bytes - missing)
end

return base64
