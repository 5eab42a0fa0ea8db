-- Writes the Lua modules given as arguments as C: build/host/bake lua/baked/bake.lua FILES > build/host/baked.c
--
-- lua/beam/call.lua becomes the module beam.call with the chunk name @beam/call.lua, lua/beam/init.lua the module beam, and
-- lua/beamlua/main.lua the module beamlua.main. They are bytecode, which loads in a tenth of the time that parsing takes; with their
-- lines, for error messages and tracebacks.

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
  for first = 1, #text, 80 do
    lines[#lines + 1] = '    "' .. text:sub(first, first + 79):gsub('[^ !#->@-[%]^-~]', escape) .. '"'
  end
  return #lines > 0 and table.concat(lines, "\n") or '    ""'
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return string.dump(assert(load(text, "@" .. path:gsub("^lua/", ""), "t"))) -- a syntax error ends the build here
end

table.sort(arg)
print '/* Made by lua/baked/bake.lua. */\n#include "baked/baked.h"\n\nconst struct baked_module baked_modules[] = {'
for _, path in ipairs(arg) do
  local text = read(path)
  print(('    {"%s", "@%s",\n%s,\n     %d},'):format(module_name(path), path:gsub("^lua/", ""), literal(text), #text))
end
print "    {0, 0, 0, 0}};"
