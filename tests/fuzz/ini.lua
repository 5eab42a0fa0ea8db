-- Any text as a config.ini: sections of strings, or a message; what was read is read again the same.
local ini = require "beam.settings.ini"

local function is_plain(text)
  return not text:find "[%c]" and not text:find "^[%s'\"]" and not text:find "[%s'\"]$"
end

local function write(sections)
  local lines = {}
  for name, section in pairs(sections) do
    if name:find "\n" then
      return nil
    end
    lines[#lines + 1] = "[" .. name .. "]"
    for key, value in pairs(section) do
      assert(key == key:lower() and key ~= "" and not key:find "[=:\n]", "a key")
      if not is_plain(key) or not is_plain(value) or key:find "^[#;%[]" then
        return nil
      end
      lines[#lines + 1] = key .. " = " .. value
    end
  end
  return table.concat(lines, "\n")
end

local function same(a, b)
  for name, section in pairs(a) do
    for key, value in pairs(section) do
      assert(b[name] and b[name][key] == value, name .. "." .. key .. " came back otherwise")
    end
  end
end

return function(text)
  local sections, message = ini.parse(text)
  if not sections then
    assert(message:find "^line %d+ is ")
    return
  end
  for name in pairs(sections) do
    ini.get(sections, name, "token")
  end
  local again = write(sections)
  if again then
    local read = assert(ini.parse(again))
    same(sections, read)
    same(read, sections)
  end
end
