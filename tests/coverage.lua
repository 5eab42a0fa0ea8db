-- Which lines of lua/beam a run reaches: `lua5.4 -e 'dofile "tests/coverage.lua"' …` writes them as FILE:LINE at its end into a file of its
-- own in the folder COVERAGE. With the argument "tell" it reads them all, and what luac says has code, and prints a line for each room.
-- (LuaCov is in none of Debian's releases that we support.)
local folder = os.getenv "COVERAGE" or "build/coverage/lua"

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  pipe:close()
  return list
end

local function collect()
  local reached, of_source = {}, {}
  local function lines_of_source(source)
    local path = source:match "^@.-(lua/beam/.*)$"
    local lines = path and (reached[path] or {}) or {}
    of_source[source] = lines
    if path then
      reached[path] = lines
    end
    return lines
  end
  local function note(_, line)
    local source = debug.getinfo(2, "S").source
    local lines = of_source[source] or lines_of_source(source)
    lines[line] = true
  end
  debug.sethook(note, "l")
  for _, name in ipairs { "create", "wrap" } do -- each coroutine has a hook of its own
    local original = coroutine[name]
    coroutine[name] = function(fn) -- luacheck: ignore 122
      return original(function(...)
        debug.sethook(note, "l")
        return fn(...)
      end)
    end
  end
  local function write()
    local file = assert(io.open(os.tmpname():gsub("^.*/", folder .. "/"), "w"))
    for path, lines in pairs(reached) do
      for line in pairs(lines) do
        file:write(path, ":", line, "\n")
      end
    end
    file:close()
  end
  collect_at_end = setmetatable({}, { __gc = write }) -- luacheck: globals collect_at_end
end

-- The lines with code, as luac lists its instructions: "	1	[12]	VARARGPREP…".
local function lines_with_code(path)
  local lines = {}
  for _, row in ipairs(lines_of("luac5.4 -p -l " .. path)) do
    local line = row:match "^%s+%d+%s+%[(%d+)%]"
    if line then
      lines[line] = true
    end
  end
  return lines
end

local function read_reached()
  local reached = {}
  for _, row in ipairs(lines_of(("cat %s/* 2>/dev/null"):format(folder))) do
    reached[row] = true
  end
  return reached
end

local function tell()
  local reached, rooms, names = read_reached(), {}, {}
  local all, hit = 0, 0
  for _, path in ipairs(lines_of "find lua/beam -name '*.lua' | LC_ALL=C sort") do
    local room = path:match "^(lua/beam/[^/]+)/" or "lua/beam"
    if not rooms[room] then
      rooms[room], names[#names + 1] = { 0, 0 }, room
    end
    for line in pairs(lines_with_code(path)) do
      local is_reached = reached[path .. ":" .. line] and 1 or 0
      rooms[room] = { rooms[room][1] + is_reached, rooms[room][2] + 1 }
      all, hit = all + 1, hit + is_reached
    end
  end
  for _, room in ipairs(names) do
    print(("  %-24s %5.1f %% of %d lines"):format(room, 100 * rooms[room][1] / rooms[room][2], rooms[room][2]))
  end
  print(("Lua: %.1f %% of %d lines"):format(100 * hit / all, all))
end

if ... == "tell" then
  tell()
else
  collect()
end
