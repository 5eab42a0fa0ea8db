-- A page that a comment, a spec or a message names is there, with the section or the heading that is named.
local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

local function sources()
  local list = {}
  local pipe = assert(io.popen "find lua core spec tests scripts docs/library -name '*.lua' -o -name '*.[ch]' -o -name '*.py' -o -name '*.sh'")
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  pipe:close()
  assert(#list > 300, #list)
  return list
end

-- Pages that stand beside whoever names them, or are of another project.
local function is_foreign(path, name)
  return path:find "^tests/hosts/install/install_docs" or read((path:match "^(.*)/" or ".") .. "/" .. name)
end

-- The text behind a mention, the line breaks of a comment taken out.
local function behind(text, place)
  return (text:sub(place, place + 80):gsub("\n%s*[%-/*#]*%s*", " "))
end

local function has_section(page, number)
  return ("\n" .. page):find("\n## " .. number .. "%. ") ~= nil
end

local function check(path, text, start, name)
  local page = read(name) or read("docs/" .. name) or read("docs/hosts/" .. name)
  if not page then
    assert(is_foreign(path, name), ("%s names %s, which is not there"):format(path, name))
    return
  end
  local after = behind(text, start)
  for _, number in ipairs { after:match "^,? sections? (%d+)", (after:match "^,? sections? %d+ and (%d+)" or after:match "^,? sections %d+ to (%d+)") } do
    assert(has_section(page, number), ("%s: %s has no section %s"):format(path, name, number))
  end
  local heading = after:match '^,? "([^"]+)"'
  assert(not heading or page:lower():find(heading:lower(), 1, true), ("%s: %s has nothing called '%s'"):format(path, name, tostring(heading)))
end

-- A row of a walk in docs/architecture.md: as many functions as it says, each in one of its files; a file without a folder is beside the one
-- before it.
local function check_row(hops, where, names)
  local folder, texts, count = "", {}, 0
  for path in where:gmatch "`([^`]+)`" do
    local whole = read(path) and path or folder .. path
    texts[#texts + 1] = assert(read(whole), whole)
    folder = whole:match "^(.*/)"
  end
  for name in names:gmatch "[^,%s]+" do
    count = count + 1
    local found = table.concat(texts):find("%f[%w_]" .. name:match "[%w_]+$" .. "%f[^%w_]")
    assert(found, ("%s: no function %s"):format(where, name))
  end
  assert.equal(hops, count, where .. ": " .. names)
end

describe("a page of the project that is named", function()
  it("is there, and so is its section", function()
    local count = 0
    for _, path in ipairs(sources()) do
      local text = read(path)
      for name, after in text:gmatch "([%w_/.-]*[%w_-]%.md)()%f[^%w_]" do
        if path ~= "spec/references_spec.lua" and not name:find "^/" then
          count = count + 1
          check(path, text, after, name)
        end
      end
    end
    assert(count > 60, count)
  end)

  it("is found missing", function()
    assert.has_error(function()
      check("lua/beam/x.lua", "-- docs/nowhere.md", 19, "docs/nowhere.md")
    end)
    assert.has_error(function()
      check("lua/beam/x.lua", "-- docs/wire.md section 77", 16, "docs/wire.md")
    end)
  end)

  it("names files that are there", function()
    local count = 0
    for _, page in ipairs { "CONTRIBUTING.md", "SECURITY.md", "RELEASING.md", "docs/versions.md", "docs/architecture.md" } do
      for path in read(page):gmatch "`([%w_]+/[%w_/.-]+)`" do
        local root = path:match "^%w+"
        if root == "core" or root == "lua" or root == "tests" or root == "spec" or root == "docs" or root == "debian" then
          count = count + 1
          assert(io.open(path), ("%s names %s, which is not there"):format(page, path)):close()
        end
      end
    end
    assert(count > 100, count)
  end)

  it("has in its walks functions that are in the files of their row, and counts them right", function()
    local sum, walks = 0, 0
    for hops, where, names in read("docs/architecture.md"):gmatch "\n| (%d+) | ([^|]*) |([^|]*)|" do
      if where == "in all" then
        assert.equal(tonumber(hops), sum)
        sum, walks = 0, walks + 1
      else
        check_row(tonumber(hops), where, names)
        sum = sum + tonumber(hops)
      end
    end
    assert.equal(7, walks)
  end)

  it("has, of what Beam does, a source for each row", function()
    local wanted, rows = false, 0
    for line in read("docs/wire.md"):gmatch "([^\n]*)\n" do
      if not line:find "^|" then
        wanted = false
      elseif line:find "| known by |$" then
        wanted = true
      elseif wanted and not line:find "^| %-%-%-" then
        rows = rows + 1
        assert(line:find "| [RCSDKW][, RCSDKW]* |$" or line:find "| [RCSDKW]; [^|]+ |$" or line:find "| – |$", line)
      end
    end
    assert(rows > 100, rows)
  end)
end)
