-- Writes compile_commands.json (clang's format) for the C files of core/, lua/ and tests/.
--   usage: CPPFLAGS=… CFLAGS=… lua5.4 tests/compile_commands.lua
local json_text = { ['"'] = '\\"', ["\\"] = "\\\\" }

local function quoted(text)
  return '"' .. text:gsub('["\\]', json_text) .. '"'
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local folder = output_of("pwd"):gsub("\n$", "")
local flags = os.getenv "CPPFLAGS" .. " " .. os.getenv "CFLAGS"
local entries = {}
for path in output_of("git ls-files '*.c'"):gmatch "[^\n]+" do
  local command = ("cc %s -c %s"):format(flags, path)
  entries[#entries + 1] = ('  { "directory": %s, "file": %s, "command": %s }'):format(quoted(folder), quoted(path), quoted(command))
end
print("[\n" .. table.concat(entries, ",\n") .. "\n]")
