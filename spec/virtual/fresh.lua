-- The Lua half, loaded anew over another beam.core: an environment of its own for each test, and for the parts of a story
-- (spec/virtual/story), which use it. Files are compiled once. BEAM_LUA: a folder to be taken instead of lua/ (a mutant).
local fresh = {}

local chunks = {}

-- package.searchpath is missing in Lua 5.1.
local function compile(name)
  local path = name:gsub("%.", "/")
  local folder = name:find "^beam" and (os.getenv "BEAM_LUA" or "lua") or "spec"
  for _, file in ipairs { folder .. "/" .. path .. ".lua", folder .. "/" .. path .. "/init.lua" } do
    local handle = io.open(file)
    if handle then
      local text = handle:read "*a"
      handle:close()
      return assert((loadstring or load)(text, "@" .. file))
    end
  end
end

local function is_ours(name)
  return name == "beam" or name:find "^beam%." or name:find "^virtual%.story%."
end

local function searcher(name)
  if not is_ours(name) then
    return nil
  end
  chunks[name] = chunks[name] or compile(name)
  return chunks[name]
end

local function set_aside()
  local kept = {}
  for name, value in pairs(package.loaded) do
    if is_ours(name) then
      kept[name] = value
    end
  end
  for name in pairs(kept) do
    package.loaded[name] = nil
  end
  return kept
end

--- Calls fn() with a Lua half whose beam.core is `core`; what was loaded before is back afterwards.
---@return any ... the results of fn; an error in it is raised again
function fresh.with(core, fn)
  local searchers = package.searchers or package.loaders
  local kept = set_aside()
  table.insert(searchers, 2, searcher)
  package.loaded["beam.core"] = core
  local results = { xpcall(fn, debug.traceback) }
  table.remove(searchers, 2)
  set_aside()
  for name, value in pairs(kept) do
    package.loaded[name] = value
  end
  if not results[1] then
    error(results[2], 0)
  end
  return (table.unpack or unpack)(results, 2)
end

return fresh
