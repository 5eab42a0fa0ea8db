-- Reads INI text as Python's configparser writes it, which is what Beam's own tools use.
local ascii = require "beam.base.ascii"

local ini = {}

local function unquote(value)
  return value:match '^"(.*)"$' or value:match "^'(.*)'$" or value
end

--- Keys come in lower case; a later value of a key replaces an earlier one. [default] is inherited by the others:
--- ini.get.
---@param text string
---@return table<string, table<string, string>>? sections, string? message which line cannot be read
function ini.parse(text)
  local sections, section, key, number = {}, nil, nil, 0
  text = text:gsub("^\239\187\191", "") -- a byte order mark
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local header = line:match "^%[([^%]]*)%]%s*$"
    local name, value = line:match "^([^=:%s][^=:]-)%s*[=:]%s*(.-)%s*$"
    if line:find "^%s*[#;]" or line:find "^%s*$" then
      key = nil
    elseif header then
      section, key = sections[header] or {}, nil
      sections[header] = section
    elseif line:find "^%s" and key then
      section[key] = section[key] .. "\n" .. line:match "^%s*(.-)%s*$"
    elseif name and section then
      key = ascii.lower(name)
      section[key] = unquote(value)
    else
      return nil, ("line %d is neither a [section] nor a key = value%s"):format(number, section and "" or " in a section")
    end
  end
  return sections
end

--- A value of a section, or what it inherits from [default].
---@param sections table<string, table<string, string>>
---@return string?
function ini.get(sections, section, key)
  local value = sections[section] and sections[section][key]
  if value == nil and sections.default then
    value = sections.default[key]
  end
  return value
end

return ini
