-- The pages: README.md, CONTRIBUTING.md and those of docs/ and docs/hosts/, their headings, their links, their blocks of code.
local pages = {}

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

--- The paths of all pages, in order.
---@return string[]
function pages.list()
  local paths = { "README.md", "CONTRIBUTING.md" }
  local pipe = assert(io.popen "LC_ALL=C ls docs/*.md docs/hosts/*.md")
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return paths
end

--- The lines of a page, each with the fence that it stands in: nil outside of code.
---@param text string
---@return fun(): string?, string? line, fence "```lua"
function pages.lines(text)
  local fence
  local next_line = (text:gsub("\n?$", "\n")):gmatch "([^\n]*)\n"
  return function()
    local line = next_line()
    if not line then
      return nil
    end
    local inside = fence
    if line:find "^```" then
      inside = fence or line
      fence = not fence and line or nil
    end
    return line, inside
  end
end

--- What a heading is called in links, as GitHub does it.
---@param heading string
---@return string
function pages.anchor(heading)
  local plain = heading:gsub("%[([^%]]*)%]%b()", "%1"):lower()
  return (plain:gsub("[^%w%s_-]", ""):gsub("%s", "-"))
end

--- The anchors of a page.
---@param text string
---@return table<string, true>
function pages.anchors(text)
  local found = {}
  for line, fence in pages.lines(text) do
    local heading = not fence and line:match "^#+%s+(.*)$"
    if heading then
      local anchor, again = pages.anchor(heading), 1
      while found[anchor] do
        anchor, again = pages.anchor(heading) .. "-" .. again, again + 1
      end
      found[anchor] = true
    end
  end
  return found
end

--- The relative links of a page: of each its line, path and anchor.
---@param text string
---@return { line: integer, path: string, anchor: string? }[]
function pages.links(text)
  local found, number = {}, 0
  for line, fence in pages.lines(text) do
    number = number + 1
    for target in (fence and "" or line:gsub("`[^`]*`", "")):gmatch "%]%(([^)]+)%)" do
      if not target:find "^%a+:" then
        found[#found + 1] = { line = number, path = target:match "^[^#]*", anchor = target:match "#(.*)$" }
      end
    end
  end
  return found
end

-- ---- For LDoc ----

local prettified = { ["```lua"] = true, ["```c"] = true }

-- LDoc puts docs/calls.md at topics/calls.md.html; what is no page is not there.
local function link_for_ldoc(target, exists)
  local path, anchor = target:match "^([^#]*)(.*)$"
  local name = path:match "([^/]+%.md)$"
  if target:find "^%a+:" or path == "" then
    return target
  elseif name and exists[name] and not path:find "^%.%./tests" then
    return name .. ".html" .. anchor
  elseif path:find "pictures/[^/]*$" then
    return "../" .. path:match "pictures/[^/]*$"
  end
end

local function line_for_ldoc(line, exists)
  local heading = line:match "^##+%s+(.*)$" -- the first one is the title of the page
  line = line:gsub("(%[([^%]]*)%])%(([^)]+)%)", function(bracket, label, target)
    local link = link_for_ldoc(target, exists)
    return link and bracket .. "(" .. link .. ")" or label
  end)
  line = line:gsub("@{", "@ {")
  return heading and ('<a id="%s"></a>\n\n%s'):format(pages.anchor(heading), line) or line
end

local function page_for_ldoc(text, exists)
  local lines = {}
  for line, fence in pages.lines(text) do
    if not fence then
      lines[#lines + 1] = line_for_ldoc(line, exists)
    elseif line == fence then
      lines[#lines + 1] = "\n" .. (prettified[fence] and fence or "```")
    else
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The pages of docs/ as LDoc takes them.
---@return table<string, string> texts by file name
function pages.for_ldoc()
  local exists, texts = {}, {}
  for _, path in ipairs(pages.list()) do
    exists[path:match "[^/]+$"] = path:find "^docs/" ~= nil and path
  end
  for name in pairs(exists) do
    if exists[name] then
      texts[name] = page_for_ldoc(read(exists[name]), exists)
    end
  end
  return texts
end

pages.read = read

return pages
