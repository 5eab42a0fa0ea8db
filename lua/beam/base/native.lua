-- What of beam is C: beam.core. Where it cannot be loaded, the error says what is missing and which package brings it, or which Lua it was
-- built for.
local packages = require "beam.base.packages"

local native = {}

-- ---- What loaders say: glibc, musl, macOS ----

local missing_library = {
  "([0-9A-Za-z._+-]+): cannot open shared object file",
  "Error loading shared library ([0-9A-Za-z._+-]+): No such file",
  "Library not loaded: [^\n]-([0-9A-Za-z._+-]+)\n",
}
local missing_symbol = {
  "undefined symbol: ([0-9A-Za-z_]+)",
  "Error relocating [^\n]-: ([0-9A-Za-z_]+): symbol not found",
  "symbol not found in [^\n]-'_([0-9A-Za-z_]+)'",
}
local other_machine = { "wrong ELF class", "invalid ELF header", "Exec format error", "incompatible architecture" }

local function first_match(message, patterns)
  for _, pattern in ipairs(patterns) do
    local found = message:match(pattern)
    if found then
      return found
    end
  end
end

-- ---- Which Lua a module was built for ----

local function built_for(path)
  local file = path and io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text:match "built with the headers of (Lua %d%.%d)" or "another Lua" -- lua/binding/compat.c
end

local function path_in(message)
  return message:match "from file '([^']+)'" or message:match "([^%s:']+%.so): undefined symbol"
end

-- ---- Advice ----

local function about_library(library, here)
  local command = packages.install_library(library, here)
  return command and ("%s is missing: %s; if another version of it is installed, build lua-beam again"):format(library, command)
end

local other_place = "package.cpath (LUA_CPATH) must lead to what was built for it"

local function about_symbol(symbol, message, version)
  if symbol:find "^luaL?_" then
    local path = path_in(message)
    return ("%s was built for %s, and this is %s: %s"):format(path or "it", built_for(path), version, other_place)
  elseif symbol:find "^luaopen_" then
    return "it is not the module that its name says"
  end
  return ("a library it needs is there in another version than it was built with (no %s): build lua-beam again"):format(symbol)
end

--- What is to be done about the message of a loader; nil where it says enough by itself.
---@param message string what require or package.loadlib said
---@param here string? the system: debian, fedora, arch, alpine, homebrew; default: this one
---@param version string? default: _VERSION
---@return string?
function native.advice(message, here, version)
  here, version = here or message:find("dylib", 1, true) and "homebrew" or packages.system(), version or _VERSION
  if message:find "was built for Lua %d" then -- by its own look (lua/binding/compat.c)
    return message:match "^[^\n]*" .. ": " .. other_place
  end
  local library = first_match(message, missing_library)
  local symbol = first_match(message, missing_symbol)
  if library then
    return about_library(library, here)
  elseif symbol then
    return about_symbol(symbol, message, version)
  end
  for _, text in ipairs(other_machine) do
    if message:find(text, 1, true) then
      return "it was built for another kind of machine"
    end
  end
end

-- ---- Loading ----

local function absent(name)
  local text = "%s is not installed for %s: luarocks --lua-version %s install lua-beam, or as docs/install.md has it"
  return text:format(name == "beam.core" and "the part of beam in C" or name, _VERSION, _VERSION:match "%d%.%d")
end

local function explain(name, message)
  message = tostring(message)
  local not_found = message:find("module '" .. name .. "' not found", 1, true)
  local advice = not_found and absent(name) or native.advice(message)
  return "beam: " .. name .. " could not be loaded: " .. (advice and advice .. "\n" or "") .. message
end

-- Lua 5.1 takes modules whose loading has failed for such as are being loaded, ever after ("loop or previous error"): whoever asks next is
-- to be told what is missing, too. What is being loaded now fails with this.
local being_loaded = { userdata = true, number = true } -- the mark in package.loaded; LuaJIT's passes for a number
local function forget_attempts()
  local name, value = next(package.loaded)
  while name do
    if being_loaded[type(value)] and name:find "^beam" then
      package.loaded[name] = nil
    end
    name, value = next(package.loaded, name)
  end
end

local function fail(message)
  forget_attempts()
  error(message, 0)
end

--- A module that is C, or raises what is missing and what brings it.
---@param name string
---@return table
function native.load(name)
  local ok, module = pcall(require, name)
  if not ok then
    fail(explain(name, module))
  end
  return module
end

--- beam.core. Raises also where it is not of the same release as the rest of beam.
---@return beam.core
function native.core()
  local core = native.load "beam.core"
  local version = require("beam")._VERSION
  if core.version ~= version then
    local text = "beam: its modules in Lua are of release %s, beam.core of %s: package.path and package.cpath lead to two installations"
    fail(text:format(version, tostring(core.version)))
  end
  return core
end

return native
