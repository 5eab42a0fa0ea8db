-- Writes the Lua modules given as arguments as C: lua5.4 lua/host/bake.lua FILES > build/host/baked.c
--
-- lua/beam/call.lua becomes the module beam.call with the chunk name @beam/call.lua, lua/beam/init.lua the module beam, and
-- lua/host/main.lua the module host.main. They stay source text: error messages and tracebacks show their lines.

local function module_name(path)
  local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/", "."):gsub("%.init$", "")
  return name
end

local escapes = { ["\n"] = "\\n", ['"'] = '\\"', ["\\"] = "\\\\", ["?"] = "\\?" }

-- Octal, because an octal escape ends after three digits whatever follows.
local function escape(c)
  return escapes[c] or ("\\%03o"):format(c:byte())
end

local function literal(text)
  local lines = {}
  for line in text:gmatch "[^\n]*\n?" do
    if line ~= "" then
      lines[#lines + 1] = '    "' .. line:gsub('[%c"\\?\128-\255]', escape) .. '"'
    end
  end
  return #lines > 0 and table.concat(lines, "\n") or '    ""'
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  assert(load(text, "@" .. path, "t")) -- a syntax error ends the build here
  return text
end

table.sort(arg)
print '/* Made by lua/host/bake.lua. */\n#include "baked.h"\n\nconst struct baked_module baked_modules[] = {'
for _, path in ipairs(arg) do
  local text = read(path)
  print(('    {"%s", "@%s",\n%s,\n     %d},'):format(module_name(path), path:gsub("^lua/", ""), literal(text), #text))
end
print "    {0, 0, 0, 0}};"
