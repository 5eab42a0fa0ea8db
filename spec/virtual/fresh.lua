-- The Lua half, loaded anew over another beam.core: an environment of its own for each test. Files are compiled once.
local fresh = {}

local chunks = {}

-- package.searchpath is missing in Lua 5.1.
local function compile(name)
  local path = name:gsub("%.", "/")
  for _, file in ipairs { "lua/" .. path .. ".lua", "lua/" .. path .. "/init.lua" } do
    local handle = io.open(os.getenv("BEAM_LUA") and file:gsub("^lua/", os.getenv("BEAM_LUA") .. "/") or file)
    if handle then
      local text = handle:read "*a"
      handle:close()
      return assert((loadstring or load)(text, "@" .. file))
    end
  end
end

local function searcher(name)
  if name ~= "beam" and not name:find "^beam%." then
    return nil
  end
  chunks[name] = chunks[name] or compile(name)
  return chunks[name]
end

local function set_aside()
  local kept = {}
  for name, value in pairs(package.loaded) do
    if name == "beam" or name:find "^beam%." then
      kept[name] = value
    end
  end
  for name in pairs(kept) do
    package.loaded[name] = nil
  end
  return kept
end

--- Calls fn(require) with a Lua half whose beam.core is `core`; what was loaded before is back afterwards.
---@return any ... the results of fn; an error in it is raised again
function fresh.with(core, fn)
  local searchers = package.searchers or package.loaders
  local kept = set_aside()
  table.insert(searchers, 2, searcher)
  package.loaded["beam.core"] = core
  local results = { xpcall(function()
    return fn()
  end, debug.traceback) }
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
