-- What the modules of lua/beamlua/ find in Lua 5.4, for older Lua: an environment of their own, which leaves the globals as they are.
local environment = {}

local old = _VERSION < "Lua 5.4"
local plain = _VERSION == "Lua 5.1" and not rawget(_G, "jit") -- where no coroutine yields across pcall

-- ---- Modules ----

--- As package.searchpath, in package.path.
---@param name string
---@return string? path
---@return string? problem
function environment.find(name)
  local tried = {}
  for template in package.path:gmatch "[^;]+" do
    local path = template:gsub("%?", (name:gsub("%.", "/")))
    local file = io.open(path, "r")
    if file then
      file:close()
      return path
    end
    tried[#tried + 1] = "\n\tno file '" .. path .. "'"
  end
  return nil, table.concat(tried)
end

-- ---- Functions ----

local function extended(library, additions)
  return setmetatable(additions, { __index = library })
end

-- The characters of a text; nil if it is no UTF-8.
local function utf8_length(text)
  local count, at = 0, 1
  while at <= #text do
    local first, last = text:find("^[%z\1-\127\194-\244][\128-\191]*", at)
    local lead = text:byte(at)
    if not first or last - first ~= (lead < 128 and 0 or lead < 224 and 1 or lead < 240 and 2 or 3) then
      return nil
    end
    count, at = count + 1, last + 1
  end
  return count
end

local function to_integer(value)
  return type(value) == "number" and value % 1 == 0 and value or nil
end

local function number_type(value)
  return type(value) == "number" and (value % 1 == 0 and "integer" or "float") or nil
end

local function move(from, first, last, position, to)
  to = to or from
  local step = position > first and -1 or 1 -- an overlap is safe
  for i = step > 0 and first or last, step > 0 and last or first, step do
    to[position + i - first] = from[i]
  end
  return to
end

-- Lua 5.1 and LuaJIT quote the end of the text in their messages.
local function load_text(text, name)
  local chunk, message = loadstring(text, name) -- luacheck: ignore 113
  return chunk, message and message:gsub("'<eof>'$", "<eof>")
end

local function raw_length(value)
  return #value -- tables have no __len there
end

-- In plain Lua 5.1 whoever waits cannot be below pcall: what is called gets a coroutine of its own, and its end is awaited.
local function protected_call(fn, ...)
  if not coroutine.running() then
    return pcall(fn, ...)
  end
  local driver = require "beam.driver"
  local results = { n = 0 }
  local arguments = { n = select("#", ...), ... }
  local function call()
    local function keep(...)
      results = { n = select("#", ...), ... }
    end
    keep(fn(unpack(arguments, 1, arguments.n))) -- luacheck: ignore 113
    return true
  end
  local done, err = driver.spawn(call):join()
  if not done then
    if type(err) == "table" and err.kind == "script" and err.cause ~= nil then
      err = err.cause
    end
    return false, err
  end
  return true, unpack(results, 1, results.n) -- luacheck: ignore 113
end

local function make()
  local own = {
    table = extended(table, { unpack = table.unpack or unpack, move = table.move or move }), -- luacheck: ignore 113
    math = extended(math, { tointeger = math.tointeger or to_integer, type = math.type or number_type }),
    utf8 = rawget(_G, "utf8") or { len = utf8_length },
    warn = rawget(_G, "warn") or function() end,
    package = extended(package, {
      searchpath = package.searchpath or function(_, _)
        return nil, ""
      end,
    }),
    load = rawget(_G, "setfenv") and load_text or nil,
    rawlen = rawget(_G, "rawlen") or raw_length,
    pcall = plain and protected_call or nil,
  }
  return setmetatable(own, { __index = _G, __newindex = _G })
end

local shared = old and make() or nil

--- The chunk of a module.
---@param path string
---@return function? chunk
---@return string? problem
function environment.load(path)
  if not old then
    return loadfile(path)
  elseif not setfenv then -- luacheck: ignore 113
    return loadfile(path, "t", shared)
  end
  local chunk, problem = loadfile(path)
  return chunk and setfenv(chunk, shared), problem -- luacheck: ignore 113
end

return environment
