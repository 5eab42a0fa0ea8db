-- What a tab at the prompt completes: globals and keywords, fields, methods.
local complete = {}

local keywords = [[and break do else elseif end false for function goto if in local nil not or repeat return then true until while]]

local longest_chain, most_shown = 16, 60

-- The names that a table has by its keys, those of our lazy module and of a client too.
local function add_names(value, add)
  for name in next, value do
    add(name)
  end
  local meta = getmetatable(value)
  for _, list in ipairs(type(meta) == "table" and rawget(meta, "names") or {}) do
    for name in next, list do
      add(name)
    end
  end
  if type(meta) == "table" and meta.__name == "beam.client" then
    add_names(require("beam.client").functions, add)
  end
end

-- All names that can be asked of a value: through its __index tables. A value's __index function is not called.
local function names_of(value, add)
  for _ = 1, longest_chain do
    if type(value) == "table" then
      add_names(value, add)
    end
    local meta = debug.getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index")
    if type(value) ~= "table" then
      return
    end
  end
end

-- The value that a chain of names means, found without running any code of the user's but that of the module itself.
local function find(chain)
  local value = _G
  for name in chain:gmatch "[A-Za-z_][0-9A-Za-z_]*" do
    if value == nil then
      return nil
    end
    local found
    local holder = value
    for _ = 1, longest_chain do
      if type(holder) == "table" then
        found = rawget(holder, name)
      end
      local meta = debug.getmetatable(holder)
      holder = found == nil and type(meta) == "table" and rawget(meta, "__index") or nil
      if type(holder) ~= "table" then
        break
      end
    end
    if found == nil and value == require "beam" then
      found = value[name]
    end
    value = found
  end
  return value
end

local function candidates(before)
  local chain, mark, started = before:match "([A-Za-z_][0-9A-Za-z_.:]*)([.:])([0-9A-Za-z_]*)$"
  local list, seen = {}, {}
  if not chain then
    started = before:match "[A-Za-z_][0-9A-Za-z_]*$" or ""
  end
  local value = _G
  if chain then
    value = find(chain)
  end
  local function add(name)
    if type(name) == "string" and not seen[name] and name:sub(1, #started) == started and name:find "^[A-Za-z_][0-9A-Za-z_]*$" then
      local method = mark ~= ":" or type(find(chain .. "." .. name)) == "function"
      local hidden = name:sub(1, 1) == "_" and started:sub(1, 1) ~= "_"
      if method and not hidden then
        seen[name] = true
        list[#list + 1] = name
      end
    end
  end
  if value ~= nil then
    names_of(value, add)
  end
  if not chain then
    for word in keywords:gmatch "%S+" do
      add(word)
    end
  end
  table.sort(list)
  return list, started
end

local function common_start(list)
  local first, last = list[1], list[#list]
  local length = 0
  while length < #first and first:byte(length + 1) == last:byte(length + 1) do
    length = length + 1
  end
  return first:sub(1, length)
end

-- An empty line is indented, not completed.
local function is_blank(before)
  return not before:find "%S"
end

--- What a tab does.
---@param before string the line up to the cursor
---@return string? insert
---@return string[]? list to be shown, if there are several
function complete.at(before)
  if is_blank(before) then
    return "  "
  end
  local list, started = candidates(before)
  if #list == 0 then
    return nil
  end
  local common = common_start(list)
  local insert = #common > #started and common:sub(#started + 1) or nil
  if insert or #list == 1 then
    return insert
  end
  local more = #list - most_shown
  if more > 0 then
    list = table.move(list, 1, most_shown, 1, { [most_shown + 1] = ("… %d more"):format(more) })
  end
  return nil, list
end

return complete
