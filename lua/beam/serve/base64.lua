-- Base64 (RFC 4648, section 4), for Basic credentials, cursors and pickles.
local base64 = {}

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local digits, values = {}, {}
for i = 1, 64 do
  digits[i - 1] = alphabet:sub(i, i)
  values[alphabet:sub(i, i)] = i - 1
end

---@param bytes string
---@return string
function base64.encode(bytes)
  local out, length = {}, 0
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    for shift = 18, 0, -6 do
      length = length + 1
      out[length] = digits[math.floor(bits / 2 ^ shift) % 64]
    end
    if not c then
      out[length] = "="
    end
    if not b then
      out[length - 1] = "="
    end
  end
  return table.concat(out)
end

---@param text string
---@return string? bytes nil if it is no base64
function base64.decode(text)
  local body = text:gsub("=?=$", "")
  if #text % 4 ~= 0 or body:find "[^%w+/]" then
    return nil
  end
  local out, bits, count = {}, 0, 0
  for digit in body:gmatch "." do
    bits, count = bits * 64 + values[digit], count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(math.floor(bits / 2 ^ count))
      bits = bits % 2 ^ count
    end
  end
  return table.concat(out)
end

return base64
