-- Base64 (RFC 4648, section 4): results that are no JSON come in it; the local Beam writes it.
local base64 = {}

local floor, char = math.floor, string.char

local digits, values = {}, {} -- by value, and by byte
for i = 1, 64 do
  local digit = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):sub(i, i)
  digits[i - 1], values[digit:byte()] = digit, i - 1
end

--- Bytes as text.
---@param bytes string
---@return string
function base64.encode(bytes)
  local pieces = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    local third, fourth = b and digits[floor(bits / 64) % 64] or "=", c and digits[bits % 64] or "="
    pieces[#pieces + 1] = digits[floor(bits / 262144)] .. digits[floor(bits / 4096) % 64] .. third .. fourth
  end
  return table.concat(pieces)
end

local function decode_four(a, b, c, d)
  local bits = values[a] * 262144 + values[b] * 4096 + values[c] * 64 + values[d]
  return char(floor(bits / 65536), floor(bits / 256) % 256, bits % 256)
end

--- The bytes; nil for what is no base64. Its padding may be missing.
---@param text string
---@return string?
function base64.decode(text)
  local body = text:match "^([0-9A-Za-z+/]*)=?=?$"
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
