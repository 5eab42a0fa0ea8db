-- What a tab at the prompt completes: globals and keywords; of the module and its objects what is for everybody, and nothing else; fields
-- and methods of other tables; names of deployments.
local complete = {}

local keywords = [[and break do else elseif end false for function goto if in local nil not or repeat return then true until while]]

local longest_chain, most_shown = 16, 60

local function reference()
  return require "beamlua.repl.reference"
end

-- ---- Names ----

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
end

local function class_of(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") or nil
end

-- The fields of a class of the module, and of what it is made from.
local function add_fields(name, add)
  local class = reference().classes[name]
  for line in (class and class[3] or ""):gmatch "[^\n]+" do
    add(line:match "^@field ([A-Za-z_][0-9A-Za-z_]*)")
    for parent in (line:match "^@class [0-9A-Za-z_.]+: (.*)$" or ""):gmatch "[0-9A-Za-z_.]+" do
      add_fields(parent, add)
    end
  end
end

-- An object of the module: its methods and fields that are described. Returns whether it is one.
local function add_object(value, mark, add)
  local name = class_of(value)
  if name == "beam.client" then
    add_names(require("beam.client").functions, add)
    return true
  end
  local class = type(name) == "string" and reference().classes[name]
  if not class then
    return false
  end
  for _, method in ipairs(class.methods or {}) do
    add(method)
  end
  if mark == "." then
    add_fields(name, add)
  end
  return true
end

-- All names that can be asked of a value: through its __index tables. A value's __index function is not called.
local function names_of(value, mark, add)
  if add_object(value, mark, add) then
    return
  end
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

local function is_method(chain, name)
  local value = find(chain)
  if class_of(value) == "beam.client" then
    return true
  end
  return type(find(chain .. "." .. name)) == "function"
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
      local method = mark ~= ":" or is_method(chain, name)
      local hidden = name:sub(1, 1) == "_" and started:sub(1, 1) ~= "_"
      if method and not hidden then
        seen[name] = true
        list[#list + 1] = name
      end
    end
  end
  if value ~= nil then
    names_of(value, mark, add)
  end
  if not chain then
    for word in keywords:gmatch "%S+" do
      add(word)
    end
  end
  table.sort(list)
  return list, started
end

-- ---- Deployments: beam.call("mul… ----

local any = {}
local kinds_of = {
  call = { endpoint = true },
  stream = { endpoint = true },
  map = { endpoint = true },
  chat = { endpoint = true, asgi = true, pod = true },
  submit = { taskqueue = true, ["function"] = true, schedule = true },
  realtime = { asgi = true, bot = true },
  pool = { asgi = true },
  deployment = any,
  address = any,
}

-- The names of deployments that may stand in a text that was begun; nil where none is wanted.
local function deployments(before, list_of)
  local chain, started = before:match "([A-Za-z_][0-9A-Za-z_.:]*)%s*[({]?%s*{?%s*[\"']([0-9A-Za-z._-]*)$"
  local owner, name = (chain or ""):match "^(.-)[.:]?([A-Za-z_]+)$"
  local kinds = kinds_of[name]
  local holder = kinds and list_of and find(owner)
  if not holder or holder ~= require "beam" and class_of(holder) ~= "beam.client" then
    return nil
  end
  local list, seen = {}, {}
  for _, deployment in ipairs(list_of(holder)) do
    local fits = kinds == any or not deployment.kind or kinds[deployment.kind]
    if fits and not seen[deployment.name] and deployment.name:sub(1, #started) == started then
      seen[deployment.name] = true
      list[#list + 1] = deployment.name
    end
  end
  table.sort(list)
  return list, started
end

-- ---- What is done with them ----

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
---@param list_of (fun(holder: table): { name: string, kind: string? }[])? the deployments that beam or a client knows of
---@return string? insert
---@return string[]? list to be shown, if there are several
function complete.at(before, list_of)
  if is_blank(before) then
    return "  "
  end
  local list, started = deployments(before, list_of)
  if not list then
    list, started = candidates(before)
  end
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
