-- The links within the pages lead to files and headings that exist.   usage: links.lua COUNT
package.path = "docs/?.lua;" .. package.path
local pages = require "reference.pages"

local function exists(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

local function normal(path)
  local before
  repeat
    before = path
    path = path:gsub("[^/]+/%.%./", "", 1):gsub("^%./", "")
  until path == before
  return path
end

local dead, links = {}, 0
for _, page in ipairs(pages.list()) do
  local text = pages.read(page)
  for _, link in ipairs(pages.links(text)) do
    local path = link.path == "" and page or normal((page:match "^(.*/)" or "") .. link.path)
    links = links + 1
    if not exists(path) then
      dead[#dead + 1] = ("%s:%d: there is no %s"):format(page, link.line, path)
    elseif link.anchor and not pages.anchors(pages.read(path))[link.anchor] then
      dead[#dead + 1] = ("%s:%d: %s has no heading #%s"):format(page, link.line, path, link.anchor)
    end
  end
end
for _, problem in ipairs(dead) do
  print("# " .. problem)
end
print(("%sok %d - %d links within the pages"):format(#dead > 0 and "not " or "", tonumber(arg[1]), links))
os.exit(#dead == 0 and links > 0)
