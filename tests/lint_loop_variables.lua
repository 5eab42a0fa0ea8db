-- Variables of `for` are constants since Lua 5.5: no assignment to one, in what has to run there. By indentation, as stylua writes it.
--   usage: lua5.4 tests/lint_loop_variables.lua FILE…
local problems = 0

local function names_of(line)
  local names = line:match "^%s*for ([%w_, ]+) in .- do" or line:match "^%s*for ([%w_]+) = .- do"
  local found = {}
  for name in (names or ""):gmatch "[%a_][%w_]*" do
    found[name] = true
  end
  return next(found) and found
end

local function assigned(line, loops)
  local targets = not line:find "^%s*for " and not line:find ",$" and line:match "^%s*([%w_, ]+) = " or "" -- with a comma: a field
  for name in targets:gmatch "[%a_][%w_]*" do
    for _, loop in ipairs(loops) do
      if loop.names[name] then
        return name
      end
    end
  end
end

-- A local of the same name is no longer the loop's.
local function shadow(line, loops)
  for name in (line:match "^%s*local ([%w_, ]+)" or ""):gmatch "[%a_][%w_]*" do
    for _, loop in ipairs(loops) do
      loop.names[name] = nil
    end
  end
end

local function check(path)
  local loops, number = {}, 0
  for line in io.lines(path) do
    number = number + 1
    local indent = #line:match "^ *"
    while #loops > 0 and indent <= loops[#loops].indent and line:find "%S" do
      loops[#loops] = nil
    end
    shadow(line, loops)
    local name = assigned(line, loops)
    if name then
      problems = problems + 1
      io.stderr:write(("%s:%d: assignment to '%s', a variable of a for loop: a constant in Lua 5.5\n"):format(path, number, name))
    end
    local names = names_of(line)
    if names and not line:find "%f[%w]end%s*$" then
      loops[#loops + 1] = { indent = indent, names = names }
    end
  end
end

for _, path in ipairs(arg) do
  check(path)
end
os.exit(problems == 0)
