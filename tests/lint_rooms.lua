-- The shape of the house (docs/architecture.md): includes of core/ never go up the list of its rooms, no require runs in a circle but for
-- those that CONTRIBUTING.md lists with a reason, no folder is a hall.   usage: lua5.4 tests/lint_rooms.lua
local rooms = { "base", "loop", "net", "carrier", "websocket", "http", "server" } -- each may use those before it
local largest_folder = 20 -- files of its own

local problems = 0
local function problem(format, ...)
  problems = problems + 1
  io.stderr:write(format:format(...), "\n")
end

local function files(pattern)
  local list = {}
  local pipe = assert(io.popen("git ls-files --cached --others --exclude-standard -- " .. pattern))
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  pipe:close()
  return list
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "a" or "" -- one that is deleted and not yet committed
  if file then
    file:close()
  end
  return text
end

-- ---- core/ ----

local floor = {}
for number, room in ipairs(rooms) do
  floor[room] = number
end

local function check_includes()
  for _, path in ipairs(files "'core/*.c' 'core/*.h'") do
    local own = floor[path:match "^core/([^/]+)/"]
    for included in read(path):gmatch '#include "([^"]+)"' do
      local other = floor[included:match "^([^/]+)/"]
      if own and other and other > own then
        problem("%s includes %s, which is further up", path, included)
      end
    end
  end
end

-- ---- lua/ ----

local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function inside_text(before)
  local _, quotes = before:gsub("['\"]", "")
  return quotes % 2 == 1 or before:find "[%[`]$" ~= nil
end

-- Every module and what it requires, lazily or not; what is put together at run time ("beam.rest." .. version) is not seen.
local function requires()
  local needs = {}
  for _, path in ipairs(files "'lua/*.lua'") do
    local text = "\n" .. read(path)
    local list = {}
    for line in text:gmatch "[^\n]+" do
      for before, name in line:gsub("%-%-.*", ""):gmatch "(.-)require%s*%(?%s*[\"']([%w_.]+)[\"']" do
        if not inside_text(before) then
          list[#list + 1] = name
        end
      end
    end
    needs[module_of(path)] = list
  end
  return needs
end

-- CONTRIBUTING.md has them as "`a` and `b`: reason" below the heading "Circles".
local function allowed_circles()
  local allowed = {}
  local section = read("CONTRIBUTING.md"):match "\n## Circles\n(.-)\n## " or ""
  for first, second in section:gmatch "`([%w_.]+)` and `([%w_.]+)`" do
    allowed[first .. " " .. second] = true
    allowed[second .. " " .. first] = true
  end
  return allowed
end

-- Of the module's own names; C has beam.core, and the rock has its host.
local made_in_c = { ["beam.core"] = true, ["beam.host"] = true, ["sandbox.script"] = true, ["beam.line"] = true }

local function check_names(needs)
  for module, list in pairs(needs) do
    for _, name in ipairs(list) do
      local ours = name:find "^beam%." or name:find "^beamlua%." or name:find "^embed%."
      if ours and name:sub(-1) ~= "." and not needs[name] and not needs[name:gsub("^beam%.(beamlua%.)", "%1")] and not made_in_c[name] then
        problem("%s requires %s, which is not there", module, name)
      end
    end
  end
end

local function check_circles()
  local needs, allowed = requires(), allowed_circles()
  check_names(needs)
  local state, path = {}, {}
  local function visit(module)
    state[module] = "open"
    path[#path + 1] = module
    for _, needed in ipairs(needs[module]) do
      if state[needed] == "open" and not allowed[module .. " " .. needed] then
        problem("%s requires %s, which leads back to it: %s", module, needed, table.concat(path, " > "))
      elseif needs[needed] and not state[needed] and not allowed[module .. " " .. needed] then
        visit(needed)
      end
    end
    path[#path] = nil
    state[module] = "done"
  end
  local modules = {}
  for module in pairs(needs) do
    modules[#modules + 1] = module
  end
  table.sort(modules)
  for _, module in ipairs(modules) do
    if not state[module] then
      visit(module)
    end
  end
end

-- ---- Folders ----

local function check_folders()
  local count = {}
  for _, path in ipairs(files "core lua spec tests scripts docs findings") do
    local folder = path:match "^(.*)/"
    if folder and read(path) ~= "" then
      count[folder] = (count[folder] or 0) + 1
    end
  end
  for folder, number in pairs(count) do
    if number > largest_folder and folder ~= "findings" then -- those are a list
      problem("%s has %d files of its own: more than %d", folder, number, largest_folder)
    end
  end
end

check_includes()
check_circles()
check_folders()
os.exit(problems == 0)
