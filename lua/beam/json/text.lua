-- UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) on every Lua.
local text = {}

local find = string.find
local length = utf8 and utf8.len -- luacheck: ignore 143

local sequences = {
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]",
  "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

--- Where the sequence of more than one byte that begins at `position` ends; nil: there is none.
function text.sequence_end(s, position)
  for i = 1, #sequences do
    local _, last = find(s, sequences[i], position)
    if last then
      return last
    end
  end
end

--- Puts a text together anew: of each such sequence, and of each byte that is in none, what these make of it.
---@param s string
---@param of_sequence fun(sequence: string): string
---@param of_byte fun(byte: integer): string
---@return string
function text.rewrite(s, of_sequence, of_byte)
  local parts, position = {}, 1
  while position <= #s do
    local last = text.sequence_end(s, position)
    parts[#parts + 1] = last and of_sequence(s:sub(position, last)) or of_byte(s:byte(position))
    position = (last or position) + 1
  end
  return table.concat(parts)
end

-- A first look, at 3 ns a byte where a search for the first byte above 127 takes 12. utf8.len lets surrogates pass on Lua 5.3.
local function is_plain(s)
  if length then
    return length(s) and not find(s, "\237", 1, true)
  end
  return find(s, "^[^\128-\255]*$")
end

--- The position of the first byte that is not UTF-8, or nil.
function text.bad_utf8(s)
  local position = not is_plain(s) and find(s, "[\128-\255]")
  while position do
    local last = text.sequence_end(s, position)
    if not last then
      return position
    end
    position = find(s, "[\128-\255]", last + 1)
  end
end

--- The UTF-8 of a code point up to U+10FFFF.
function text.encode(code)
  local char = string.char
  local function tail(shift)
    return 128 + math.floor(code / 2 ^ shift) % 64
  end
  if code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(192 + math.floor(code / 64), tail(0))
  elseif code < 0x10000 then
    return char(224 + math.floor(code / 4096), tail(6), tail(0))
  end
  return char(240 + math.floor(code / 262144), tail(12), tail(6), tail(0))
end

return text
