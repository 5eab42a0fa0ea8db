-- Reads the comments of a Lua file that an editor reads (LuaCATS): what a function takes and returns, what a class has.
local comments = {}

-- ---- Types ----

local closing = { ["("] = ")", ["{"] = "}", ["<"] = ">" }

local function skip_group(text, at)
  local opening = text:sub(at, at)
  return select(2, text:find("^%b" .. opening .. closing[opening], at))
end

local skip_type

-- fun(a: b): c, d
local function skip_function(text, at)
  at = skip_group(text, at + 3)
  local after = text:match("^:%s*()", at + 1)
  while after do
    at = skip_type(text, after)
    after = text:match("^,%s*()[%a(\"]", at + 1)
  end
  return at
end

local function skip_term(text, at)
  local last
  if text:find("^fun%(", at) then
    last = skip_function(text, at)
  elseif text:find('^"', at) then
    last = text:find('"', at + 1, true)
  elseif text:find("^[({]", at) then
    last = skip_group(text, at)
  else
    last = select(2, text:find("^[%w_.*]+", at))
    last = last and text:find("^<", last + 1) and skip_group(text, last + 1) or last
  end
  return last and select(2, text:find("^[%[%]?]*", last + 1))
end

-- The position of the last character of the type that begins at `at`; nil: there is none.
function skip_type(text, at)
  local last = skip_term(text, at)
  local following = last and text:match("^%s?|%s?()", last + 1)
  return following and skip_type(text, following) or last
end

--- A type and what follows it.
---@param text string "string? name what for"
---@return string? kind, string rest
function comments.split_type(text)
  local last = skip_type(text, 1)
  if not last then
    return nil, text
  end
  return text:sub(1, last), (text:sub(last + 1):gsub("^%s+", ""))
end

-- ---- Tags ----

local function read_param(text)
  local name, rest = text:match "^(%[?[%w_.]+%]?%??)%s+(.*)$"
  local kind, meaning = comments.split_type(rest or "")
  return { name = name, type = kind, text = meaning }
end

-- "beam.task? task, beam.error? err" are two.
local function read_returns(text, list)
  local kind, rest = comments.split_type(text)
  local name, after = rest:match "^([%a_.][%w_]*)(.*)$"
  name, after = name or "", after or rest
  local following = after:match "^,%s*(.+)$"
  if following and comments.split_type(following) then
    list[#list + 1] = { type = kind, name = name, text = "" }
    return read_returns(following, list)
  end
  list[#list + 1] = { type = kind, name = name, text = (after:gsub("^%s+", "")) }
end

-- The lines of a comment: its text, and its tags with the lines that go on behind them.
local function read_lines(lines)
  local block = { lines = lines, text = {}, tags = {} }
  for _, line in ipairs(lines) do
    local tag, text = line:match "^%-%-%-@(%a+)%s*(.*)$"
    local last = block.tags[#block.tags]
    if tag then
      block.tags[#block.tags + 1] = { tag = tag, text = text }
    elseif last then
      last.text = last.text .. " " .. line:gsub("^%-%-%-%s*", "")
    else
      table.insert(block.text, (line:gsub("^%-%-%-%s?", "")))
    end
  end
  block.text = table.concat(block.text, " ")
  return block
end

-- ---- Functions and classes ----

-- "Task:wait", {"options"} of the line behind a comment.
local function read_signature(line)
  local name, names = line:match "^function ([%w_.:]+)%((.-)%)"
  if not name then
    name, names = line:match "^local function ([%w_]+)%((.-)%)"
  end
  if not name then
    name, names = line:match "^(return) function%((.-)%)"
  end
  local params = {}
  for param in (names or ""):gmatch "[%w_.]+" do
    params[#params + 1] = param
  end
  return name, params
end

local function read_function(block, name, params)
  local read = { name = name, params = params, text = block.text, tags = {}, returns = {}, lines = block.lines }
  for _, tag in ipairs(block.tags) do
    if tag.tag == "param" then
      local param = read_param(tag.text)
      read.tags[#read.tags + 1] = param
    elseif tag.tag == "return" then
      read_returns(tag.text, read.returns)
    end
  end
  return read
end

local function read_class(block)
  local first = block.tags[1]
  local name, rest = first.text:match "^([%w_.]+)%s*(.*)$"
  local parents, text = rest:match "^:%s*([%w_., ]-[%w_])%s*$", rest
  local class = { name = name, parents = {}, text = parents and block.text or block.text .. text, fields = {}, lines = block.lines }
  for parent in (parents or ""):gmatch "[%w_.]+" do
    class.parents[#class.parents + 1] = parent
  end
  for index = 2, #block.tags do
    local tag = block.tags[index]
    if tag.tag == "field" then
      class.fields[#class.fields + 1] = read_param(tag.text)
    elseif tag.tag == "overload" then
      class.callable = tag.text
    end
  end
  return class
end

-- ---- A file ----

local function add(found, block, line)
  local first = block.tags[1]
  if first and first.tag == "class" then
    local class = read_class(block)
    local known = found.classes[class.name]
    if not known or #known.fields == 0 then
      found.classes[class.name] = class
    end
    local variable = line:match "^local ([%w_]+)"
    if variable then
      found.variables[variable] = class.name
    end
  elseif first and first.tag == "alias" then
    local name = first.text:match "^[%w_.]+"
    local kind, text = comments.split_type(first.text:match "^[%w_.]+%s+(.*)$")
    found.aliases[name] = { name = name, type = kind, text = text, lines = block.lines }
  end
  local name, params = read_signature(line)
  if name then
    found.functions[name] = read_function(block, name, params)
  end
end

--- What the comments of a file say.
---@param path string
---@return { functions: table, classes: table, aliases: table, variables: table<string, string> }
function comments.read(path)
  local found, lines = { functions = {}, classes = {}, aliases = {}, variables = {} }, {}
  for line in io.lines(path) do
    if line:find "^%-%-%-[^-]" or line == "---" then
      lines[#lines + 1] = line
    else
      add(found, read_lines(lines), line)
      lines = {}
    end
  end
  return found
end

return comments
