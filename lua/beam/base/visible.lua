-- Text that somebody else wrote, on its way to a person: on one line, with nothing in it that a terminal would obey or that could pass for
-- a line of ours. Printable text, in whatever script, stays as it is.
local utf8_text = require "beam.json.text"

local visible = {}

local names = { [7] = "\\a", [8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r" }

-- Characters that show as nothing and change what is around them.
local hidden = {
  "^\194[\128-\159]$", -- U+0080 to U+009F, control characters
  "^\226\128[\142\143\168-\174]$", -- U+200E, U+200F, U+2028 to U+202E: directions, line and paragraph ends
  "^\226\129[\166-\169]$", -- U+2066 to U+2069: directions
  "^\239\187\191$", -- U+FEFF, the byte order mark
}

local function escaped_byte(byte)
  return names[byte] or ("\\x%02x"):format(byte)
end

local function code_point(character)
  local code = character:byte(1) % (#character == 2 and 32 or 16)
  for i = 2, #character do
    code = code * 64 + character:byte(i) % 64
  end
  return code
end

local function shown(character)
  for i = 1, #hidden do
    if character:find(hidden[i]) then
      return ("\\u{%x}"):format(code_point(character))
    end
  end
  return character
end

-- Of a run without a printable ASCII character.
local function escaped(run)
  return utf8_text.rewrite(run, shown, escaped_byte)
end

--- The same text on one line: control characters, those that change directions, and bytes that are no UTF-8 are escaped ("\n", "\x1b",
--- "\u{202e}").
---@param text string
---@return string
function visible.line(text)
  return (text:gsub("[^\32-\126]+", escaped))
end

--- The same, with the line ends that are meant: of a traceback, say.
---@param text string
---@return string
function visible.lines(text)
  return (text:gsub("[^\n\32-\126]+", escaped))
end

--- At most about `longest` bytes of it, on one line: its beginning and its end, as of a traceback the one or the other says what happened.
---@param text string
---@param longest integer
---@return string
function visible.excerpt(text, longest)
  text = text:match "^%s*(.-)%s*$"
  if #text > longest then
    local half = math.floor(longest / 2)
    local first = text:sub(1, half):gsub("[\192-\255][\128-\191]*$", "")
    local last = text:sub(-half):gsub("^[\128-\191]+", "")
    text = first .. " … " .. last
  end
  return visible.line(text)
end

return visible
