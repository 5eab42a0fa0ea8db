-- Writes what an editor (lua-language-server) is told of `require "beam"`, "beam.json", "beam.serve" and so on: the module finds its
-- functions by a metatable, where no editor sees them.   usage: lua5.4 docs/reference/library.lua docs/library
package.path = "docs/?.lua;" .. package.path
local model = require "reference.model"

local library = {}

local function put(out, ...)
  out[#out + 1] = table.concat { ... }
end

local function put_lines(out, lines)
  for _, line in ipairs(lines) do
    put(out, line)
  end
end

local function params_of(read)
  return table.concat(read.params, ", ")
end

-- client:call(…) is client.call(…).
local function overload(read)
  local params, returns = { "self: beam.client" }, {}
  for _, tag in ipairs(read.tags) do
    params[#params + 1] = ("%s: %s"):format(tag.name, tag.type)
  end
  for _, value in ipairs(read.returns) do
    returns[#returns + 1] = value.type
  end
  return ("---@overload fun(%s): %s"):format(table.concat(params, ", "), table.concat(returns, ", "))
end

local function put_function(out, read, owner, separator, is_clients)
  put_lines(out, read.lines)
  if is_clients then
    put(out, overload(read))
  end
  put(out, "function ", owner, separator, read.name, "(", params_of(read), ") end")
  put(out, "")
end

local function put_class(out, class)
  put_lines(out, class.lines)
  if class.methods and #class.methods > 0 then
    local variable = class.name:gsub("[^%w]", "_")
    put(out, "local ", variable, " = {}")
    put(out, "")
    for _, method in ipairs(class.methods) do
      put_function(out, method, variable, ":")
    end
  else
    put(out, "")
  end
end

local function put_module(out, module, variable, class)
  put(out, "---", module.text)
  put(out, "---@class ", class)
  for _, field in ipairs(module.fields) do
    put(out, "---@field ", field)
  end
  put(out, "local ", variable, " = {}")
  put(out, "")
  for _, read in ipairs(module.functions) do
    put_function(out, read, variable, ".")
  end
end

local function put_client(out, topics)
  local of_client = require("beam.client").functions
  put(out, "---A configuration, and the functions of the module with it: client.call(…) and client:call(…) are the same.")
  put(out, "---@class beam.client")
  put(out, "local beam_client = {}")
  put(out, "")
  for _, topic in ipairs(topics) do
    for _, read in ipairs(topic.functions) do
      if of_client[read.name] then
        put_function(out, read, "beam_client", ".", true)
      end
    end
  end
end

local function put_topic(out, topic)
  put(out, "-- ---- ", topic.title, ": docs/", topic.page, " ----")
  put(out, "")
  for _, read in ipairs(topic.functions) do
    put_function(out, read, "beam", ".")
  end
  for _, module in ipairs(topic.modules) do
    put_module(out, module, "beam_" .. module.name, "beam." .. module.name)
  end
  for _, list in ipairs { topic.objects, topic.tables, topic.aliases } do
    for _, class in ipairs(list) do
      put_class(out, class)
    end
  end
end

local made = [[
---@meta %s
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed. For lua-language-server: put the
-- folder docs/library (installed: share/lua-beam/library) into "Lua.workspace.library". Nothing loads this file.

]]

local header = [[
---Beam for Lua: the client of beam.cloud.
---@class beam
---@field _VERSION string
---@field null lightuserdata JSON's null
---@field retry beam.retry
---@field loop beam.loop
local beam = {}
]]

local function module_file(module)
  local out, variable = { made:format(module.name) }, module.name:match "[^.]+$"
  put_module(out, module, variable, module.class)
  put(out, "return ", variable)
  return table.concat(out, "\n"):gsub("\n\n\n", "\n\n") .. "\n"
end

local function main_file(reference)
  local out = { made:format "beam" .. header }
  for _, topic in ipairs(reference.topics) do
    put_topic(out, topic)
  end
  put_client(out, reference.topics)
  put(out, "return beam")
  return table.concat(out, "\n") .. "\n"
end

-- ---- For the prompt: help(beam.call) ----

local for_prompt = "../../lua/beamlua/repl/reference.lua"

local prompt_header = [[
-- What help says at the prompt, and what a tab completes of the module's objects: how it is written, its page, what is said of it. A class
-- has its methods in their order besides.
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed.
]]

local function text_of(lines)
  local text = {}
  for i, line in ipairs(lines) do
    text[i] = line:gsub("^%-%-%- ?", "")
  end
  return "[==[\n" .. table.concat(text, "\n") .. "]==]"
end

local function function_entry(out, read, owner, separator, page)
  local name = owner .. separator .. read.name
  put(out, ("  [%q] = { %q, %q, %s },"):format(name, ("%s(%s)"):format(name, params_of(read)), page, text_of(read.lines)))
end

local function class_entry(out, class, page)
  local methods = {}
  for i, method in ipairs(class.methods or {}) do
    methods[i] = ("%q"):format(method.name)
  end
  local form = "  [%q] = { %q, %q, %s, methods = { %s } },"
  put(out, (form:format(class.name, class.name, page, text_of(class.lines), table.concat(methods, ", ")):gsub("{  }", "{}")))
end

local function topic_functions(out, topic, page)
  for _, read in ipairs(topic.functions) do
    function_entry(out, read, "beam", ".", page)
  end
  for _, modules in ipairs { topic.modules, topic.separate } do
    for _, module in ipairs(modules) do
      local owner = modules == topic.modules and "beam." .. module.name or module.name
      for _, read in ipairs(module.functions) do
        function_entry(out, read, owner, ".", page)
      end
    end
  end
  for _, class in ipairs(topic.objects) do
    for _, method in ipairs(class.methods) do
      function_entry(out, method, class.name, ":", page)
    end
  end
end

local function prompt_file(topics)
  local functions, classes = {}, {}
  for _, topic in ipairs(topics) do
    local page = "docs/" .. topic.page
    topic_functions(functions, topic, page)
    for _, list in ipairs { topic.objects, topic.tables, topic.aliases } do
      for _, class in ipairs(list) do
        class_entry(classes, class, page)
      end
    end
  end
  local parts = { prompt_header .. "local reference = {}\n\nreference.functions = {", table.concat(functions, "\n"), "}\n" }
  parts[#parts + 1] = "reference.classes = {\n" .. table.concat(classes, "\n") .. "\n}\n\nreturn reference\n"
  return table.concat(parts, "\n")
end

--- The files below docs/library, as they have to be; and what is missing in the comments.
---@return table<string, string> texts, string[] problems
function library.files()
  local reference = model.read()
  local texts = { ["beam.lua"] = main_file(reference), [for_prompt] = prompt_file(reference.topics) }
  for _, topic in ipairs(reference.topics) do
    for _, module in ipairs(topic.separate) do
      texts[module.name:gsub("%.", "/") .. ".lua"] = module_file(module)
    end
  end
  return texts, reference.problems
end

local function write_all(folder)
  package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
  local texts, problems = library.files()
  if #problems > 0 then
    error(table.concat(problems, "\n"), 0)
  end
  for name, text in pairs(texts) do
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end
end

if arg and arg[0] and arg[0]:find "reference/library%.lua$" then
  write_all(arg[1])
end

return library
