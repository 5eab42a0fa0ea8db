-- Whether what LDoc has written is complete, and its links lead somewhere.   usage: lua5.4 docs/reference/check.lua build/docs/html
package.path = "docs/?.lua;" .. package.path
local model = require "reference.model"
local pages = require "reference.pages"

local folder = arg[1]
local missing, count = {}, 0

local function read(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

local function expect(path, id)
  count = count + 1
  local _, times = read(folder .. "/" .. path):gsub('<section id="' .. id:gsub("%p", "%%%0") .. '">', "")
  if times ~= 1 then
    missing[#missing + 1] = ("%s has '%s' %d times"):format(path, id, times)
  end
end

local function expect_functions(path, list, prefix)
  for _, item in ipairs(list) do
    expect(path, prefix .. item.name)
  end
end

local function expect_topic(topic)
  expect_functions("modules/beam.html", topic.functions, "")
  for _, module in ipairs(topic.modules) do
    expect_functions(("modules/beam.%s.html"):format(module.name), module.functions, "")
  end
  for _, module in ipairs(topic.separate) do
    expect_functions(("modules/%s.html"):format(module.name), module.functions, "")
  end
  for _, class in ipairs(topic.objects) do
    expect_functions(("classes/%s.html"):format(class.name), class.methods, class.name .. ":")
  end
  for _, class in ipairs(topic.tables) do
    local module = class.name:find "^beam%.serve%." and "beam.serve" or "beam"
    expect(("modules/%s.html"):format(module), class.name:match "[^.]+$")
  end
end

-- Links between the files that were made; in the reference, ids of sections and of headings.
local function check_links(path)
  local text = read(path)
  for target in text:gmatch 'href="([^"]+)"' do
    local file, anchor = target:match "^([^#]*)#?(.*)$"
    if not target:find "^%a+:" then
      count = count + 1
      local other = file == "" and text or read(path:match "^(.*/)" .. file)
      anchor = anchor:gsub("&amp;", "&")
      local found = anchor == "" or other:find('id="' .. anchor .. '"', 1, true) or other:find('name="' .. anchor .. '"', 1, true)
      if other == "" or not found then
        missing[#missing + 1] = ("%s: the link %s leads nowhere"):format(path, target)
      end
    end
  end
end

for _, topic in ipairs(model.read().topics) do
  expect_topic(topic)
end
for name in pairs(pages.for_ldoc()) do
  if not read(("%s/topics/%s.html"):format(folder, name)):find "<h1" then
    missing[#missing + 1] = name .. " is not among the pages"
  end
end
local list = assert(io.popen("find " .. folder .. " -name '*.html'"))
for path in list:lines() do
  check_links(path)
end
list:close()

for _, problem in ipairs(missing) do
  print("# " .. problem)
end
print(("%sok 2 - the reference is complete, its links lead somewhere (%d looked at)"):format(#missing > 0 and "not " or "", count))
os.exit(#missing == 0 and count > 300)
