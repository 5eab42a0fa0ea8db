-- The reference as one table: contents.lua, with what the comments in the sources say of each entry. `problems` names what is missing.
--
--   topics[i]   title, page, functions, modules, separate (modules of their own), objects (classes with methods), tables, aliases
--   function    name, text, params (of the signature), tags (their names, types and texts), returns, lines (the comment as it stands)
--   class       name, parents, text, fields, methods, callable, lines
local comments = require "reference.comments"

local model = {}

local files = {}

local function file(name)
  files[name] = files[name] or comments.read("lua/beam/" .. name)
  return files[name]
end

-- What the caller does not give: the functions of a client are methods of its settings, those of a local Beam of the app.
local given_for_them = { settings = true, app = true, _ = true, self = true }

local function without_own(list, name_of)
  local left = {}
  for index, item in ipairs(list) do
    local name = name_of and item[name_of] or item
    if index > 1 or not given_for_them[name] then
      left[#left + 1] = item
    end
  end
  return left
end

local function lines_without_settings(lines)
  local left = {}
  for _, line in ipairs(lines) do
    if not line:find "^%-%-%-@param settings " then
      left[#left + 1] = line
    end
  end
  return left
end

-- A class without the fields that are not for everybody.
local function without_fields(class, names)
  local read = {}
  for key, value in pairs(class) do
    read[key] = value
  end
  read.lines, read.fields = {}, class.fields and {}
  for _, line in ipairs(class.lines) do
    if not names[line:match "^%-%-%-@field ([%w_]+)" or ""] then
      table.insert(read.lines, line)
    end
  end
  for _, field in ipairs(class.fields or {}) do
    if not names[field.name] then
      table.insert(read.fields, field)
    end
  end
  return read
end

-- Every parameter has its tag, in order, and nothing else has one.
local function check_tags(read, shown, problems)
  local named = {}
  for _, tag in ipairs(read.tags) do
    named[#named + 1] = tag.name
    if not tag.type then
      problems[#problems + 1] = ("%s: no type for '%s'"):format(shown, tag.name)
    end
  end
  local params = {}
  for _, name in ipairs(read.params) do
    if name ~= "..." then
      params[#params + 1] = name
    end
  end
  if table.concat(named, " ") ~= table.concat(params, " ") then
    problems[#problems + 1] = ("%s(%s) has @param for: %s"):format(shown, table.concat(params, ", "), table.concat(named, ", "))
  end
  if read.text == "" then
    problems[#problems + 1] = shown .. ": nothing is said of it"
  end
end

local function read_function(entry, owner, problems)
  local shown = owner .. "." .. entry[1]
  local found = file(entry[2]).functions[entry[3]]
  if not found then
    problems[#problems + 1] = ("%s: %s has no comment for %s"):format(shown, entry[2], entry[3])
    return nil
  end
  local read = {
    name = entry[1],
    text = found.text,
    params = without_own(found.params),
    tags = without_own(found.tags, "name"),
    returns = found.returns,
    lines = lines_without_settings(found.lines),
  }
  check_tags(read, shown, problems)
  return read
end

local function read_class(entry, problems)
  local found = file(entry[2]).classes[entry[1]] or file(entry[2]).aliases[entry[1]]
  if not found then
    problems[#problems + 1] = ("%s: %s does not describe it"):format(entry[1], entry[2])
    return nil
  end
  return without_fields(found, entry.without or {})
end

-- A method is searched in all files of its class, by the variable that stands for the class there.
local function read_method(object, name)
  for _, from in ipairs(object.files) do
    for variable, class in pairs(file(from).variables) do
      local found = class == object[1] and file(from).functions[variable .. ":" .. name]
      if found then
        return { from, variable .. ":" .. name }
      end
    end
  end
end

local function read_object(object, problems)
  local class
  for _, from in ipairs(object.files) do
    local found = file(from).classes[object[1]]
    class = class and #class.fields > 0 and class or found or class
  end
  if not class then
    problems[#problems + 1] = object[1] .. ": no class of that name in its files"
    return nil
  end
  local read = without_fields(class, object.without or {})
  read.methods, read.summary = {}, object.text
  for _, name in ipairs(object.methods) do
    local where = read_method(object, name)
    if where then
      table.insert(read.methods, read_function({ name, where[1], where[2] }, object[1], problems))
    else
      problems[#problems + 1] = ("%s:%s is described nowhere"):format(object[1], name)
    end
  end
  return read
end

local function each(list, read)
  local all = {}
  for _, item in ipairs(list or {}) do
    all[#all + 1] = read(item)
  end
  return all
end

local function read_module(entry, owner, problems)
  local functions = each(entry.functions, function(item)
    return read_function(item, owner, problems)
  end)
  return { name = entry[1], class = entry.class or entry[1], text = entry.text, fields = entry.fields or {}, functions = functions }
end

local function read_topic(topic, problems)
  local function classes(entry)
    return read_class(entry, problems)
  end
  return {
    title = topic.title,
    page = topic.page,
    functions = each(topic.functions, function(entry)
      return read_function(entry, "beam", problems)
    end),
    modules = each(topic.modules, function(entry)
      return read_module(entry, "beam." .. entry[1], problems)
    end),
    separate = each(topic.separate, function(entry)
      return read_module(entry, entry[1], problems)
    end),
    objects = each(topic.objects, function(entry)
      return read_object(entry, problems)
    end),
    tables = each(topic.tables, classes),
    aliases = each(topic.aliases, classes),
  }
end

--- Reads the sources below lua/beam of the current folder.
---@return { topics: table[], problems: string[] }
function model.read()
  local problems = {}
  local topics = each(require "reference.contents", function(topic)
    return read_topic(topic, problems)
  end)
  return { topics = topics, problems = problems }
end

return model
