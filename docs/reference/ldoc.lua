-- Writes what LDoc reads: a file for each module and each class, with LDoc's tags, made of the comments in lua/beam; and the pages of
-- docs/, with links that hold in HTML.   usage: lua5.4 docs/reference/ldoc.lua build/docs/source
package.path = "docs/?.lua;" .. package.path
local model = require "reference.model"
local pages = require "reference.pages"

local out -- the lines of the file that is being made

local function put(...)
  out[#out + 1] = table.concat { ... }
end

-- ---- Types: LDoc knows names only; all that is more goes into the text ----

local function is_name(kind)
  return kind:find "^[%w_.]+$" ~= nil
end

local function without_nil(kind)
  local optional = kind:find "%?$" ~= nil or kind:find "|nil$" ~= nil
  return (kind:gsub("%?$", ""):gsub("|nil$", "")), optional
end

-- Of "string|beam.target" each; nil for what is no union of names.
local function short_of(kind)
  local names, seen = {}, {}
  local simple = kind:gsub('"[^"]*"', "string"):gsub("%s*|%s*", "|")
  simple = simple:gsub("^fun%b().*$", "function"):gsub("%b()", "function"):gsub("%b{}", "table"):gsub("table<[^>]*>", "table")
  simple = simple:gsub("fun[^|]*$", "function"):gsub("functiontion", "function")
  for part in simple:gmatch "[^|]+" do
    local name = part:gsub("^%s*(.-)%s*$", "%1"):gsub("%[%]$", ""):gsub("%?$", "")
    name = name:find "^function" and "function" or name == "T" and "table" or name
    if not seen[name] and is_name(name) then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return table.concat(names, "|")
end

-- The type as LDoc takes it, whether it may be left out, and what it is exactly where that is more.
local function type_of(kind)
  local exact, optional = without_nil(kind)
  local short = short_of(exact)
  return short, optional, short ~= exact and "`" .. exact .. "` " or ""
end

local function text_of(text)
  return (text:gsub("<", "&lt;"))
end

-- ---- Functions ----

local function put_params(read)
  for _, param in ipairs(read.tags) do
    local short, optional, exact = type_of(param.type)
    local name = param.name:gsub("%?$", "")
    put("-- @tparam", optional and "[opt] " or " ", short, " ", name, " ", exact, text_of(param.text))
  end
  if read.params[#read.params] == "..." then
    put "-- @param ... what it is called with"
  end
end

local function put_returns(read)
  for _, value in ipairs(read.returns) do
    if value.type and value.type ~= "nil" then
      local short, optional, exact = type_of(value.type)
      local name = value.name ~= "" and value.name:find "^[%w_]+$" and "*" .. value.name:gsub("_", "\\_") .. "* " or ""
      put("-- @treturn ", optional and "?" or "", short, " ", exact, name, text_of(value.text))
    end
  end
end

local function put_function(read, name)
  put("--- ", text_of(read.text))
  put("-- @function ", name)
  put_params(read)
  put_returns(read)
  put ""
end

local function put_table(class, name)
  local parents = {}
  for _, parent in ipairs(class.parents) do
    parents[#parents + 1] = "@{" .. parent .. "}"
  end
  local further = #parents > 0 and " Further fields: those of " .. table.concat(parents, " and ") .. "." or ""
  put("--- ", class.text ~= "" and text_of(class.text) .. "." or "Fields of a `" .. class.name .. "`.", further)
  put("-- @table ", name)
  for _, field in ipairs(class.fields or {}) do
    local short, optional, exact = type_of(field.type)
    put("-- @tfield", optional and "[opt] " or " ", short, " ", (field.name:gsub("[%[%]]", "")), " ", exact, text_of(field.text))
  end
  put ""
end

-- ---- Files ----

-- The first sentence stands in the index too, where the link would not hold. In HTML all pages stand in one folder.
local function put_head(text, topic)
  put("--- ", text)
  put("-- See [", topic.title:lower(), "](../topics/", topic.page:match "[^/]*$", ".html).")
end

local function put_section(title)
  put("--- ", title)
  put("-- @section ", (title:lower():gsub("[^%a]+", "_")))
  put ""
end

local function module_text(reference)
  out = {}
  put "--- The module: `local beam = require \"beam\"`. Calls, tasks and connections suspend the coroutine that makes them; on the"
  put "-- main thread they run the loop meanwhile."
  put "-- @module beam"
  put ""
  for _, topic in ipairs(reference.topics) do
    if #topic.functions + #topic.tables > 0 then
      put_section(topic.title)
    end
    for _, read in ipairs(topic.functions) do
      put_function(read, read.name)
    end
    for _, class in ipairs(topic.tables) do
      if not class.name:find "^beam%.serve" then
        put_table(class, class.name:match "[^.]+$")
      end
    end
    for _, alias in ipairs(topic.aliases) do
      put("--- `", alias.type, "` ", text_of(alias.text))
      put("-- @table ", alias.name:match "[^.]+$")
      put ""
    end
  end
  put "return nil"
  return table.concat(out, "\n")
end

local function submodule_text(module, name, topic)
  out = {}
  put_head(module.text, topic)
  put("-- @module ", name)
  put ""
  for _, read in ipairs(module.functions) do
    put_function(read, read.name)
  end
  for _, class in ipairs(topic.tables) do
    if class.name:sub(1, #name + 1) == name .. "." then
      put_table(class, class.name:match "[^.]+$")
    end
  end
  put "return nil"
  return table.concat(out, "\n")
end

local function class_text(class, topic)
  out = {}
  put_head(class.summary .. (class.callable and (" Callable: `%s`."):format(class.callable) or ""), topic)
  put("-- @classmod ", class.name)
  put ""
  if #class.fields > 0 or #class.parents > 0 then
    put_table(class, "fields")
  end
  for _, method in ipairs(class.methods) do
    put_function(method, class.name:match "[^.]+$" .. ":" .. method.name)
  end
  put "return nil"
  return table.concat(out, "\n")
end

-- ---- All ----

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
end

local function write_modules(folder, reference)
  write(folder .. "/beam.lua", module_text(reference))
  for _, topic in ipairs(reference.topics) do
    for _, module in ipairs(topic.modules) do
      write(("%s/module_%s.lua"):format(folder, module.name), submodule_text(module, "beam." .. module.name, topic))
    end
    for _, module in ipairs(topic.separate) do
      write(("%s/module_%s.lua"):format(folder, module.name), submodule_text(module, module.name, topic))
    end
    for _, class in ipairs(topic.objects) do
      write(("%s/class_%s.lua"):format(folder, class.name), class_text(class, topic))
    end
  end
end

local function main(folder)
  local reference = model.read()
  if #reference.problems > 0 then
    error(table.concat(reference.problems, "\n"), 0)
  end
  write_modules(folder, reference)
  for name, text in pairs(pages.for_ldoc()) do
    write(folder .. "/" .. name, text)
  end
end

main(arg[1])
