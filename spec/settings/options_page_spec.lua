-- docs/options.md has every option of beam.client and every variable of the environment that the sources read, and no others.
local config = require "beam.settings.config"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function files(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  pipe:close()
  return list
end

local page = read "docs/options.md"

-- The names in backquotes in the first column of the table below a heading.
local function first_column(heading)
  local names = {}
  local section = page:match("\n## " .. heading .. "\n(.-)\n## ") or page:match("\n## " .. heading .. "\n(.*)$")
  for cell in section:gmatch "\n|([^|]*)|" do
    for name in cell:gmatch "`([%w_.]+)`" do
      names[name] = true
    end
  end
  return names
end

-- What a row of the table says in its last column: may one call be told otherwise?
local function is_per_call(name)
  return page:match("\n| `" .. name .. "` |[^\n]*| (%l*) ?|\n") == "yes"
end

-- Variables that are asked for by name, and those that the files which ask the environment have in their lists.
local function variables()
  local found = {}
  for _, path in ipairs(files "grep -rlE 'getenv|environment_choice' lua core --include=*.lua --include=*.c | grep -v '^lua/sandbox/'") do
    local text = read(path)
    for name in text:gmatch 'getenv[ (]*"([%w_]+)"' do
      found[name] = path
    end
    for name in text:gmatch '"(%w+_[%w_]+)"' do
      if name == name:upper() or name:find "^%l+_proxy$" then
        found[name] = path
      end
    end
  end
  return found
end

describe("docs/options.md", function()
  local options = first_column "beam%.client"

  it("has each option of beam.client, and no other", function()
    for name in pairs(config.options) do
      assert.is_true(options[name], name .. " has no row")
    end
    for name in pairs(options) do
      local of_tls = name == "tls" or name:find "^tls%."
      assert.is_truthy(of_tls or config.options[name], name .. " is no option")
    end
  end)

  it("says of each whether a call may be told otherwise", function()
    for name in pairs(config.options) do
      assert.equal(config.overrides[name] ~= nil, is_per_call(name), name)
    end
  end)

  it("has each variable that is read", function()
    local told = first_column "The environment"
    for name, path in pairs(variables()) do
      assert.is_truthy(told[name] or page:find("`" .. name .. "`", 1, true), name .. " of " .. path .. " has no row")
    end
  end)

  it("has no variable that nobody reads", function()
    local read_somewhere = variables()
    local by_others = { LUA_PATH = true, LUA_CPATH = true, LUA_INIT_5_4 = true, _5_4 = true }
    for name in pairs(first_column "The environment") do
      assert.is_truthy(read_somewhere[name] or by_others[name], name .. " is read nowhere")
    end
  end)
end)
