-- help at the prompt: help(beam.call), help "beam.connection", help(conn), help(). What it says are the comments of the sources
-- (beamlua/repl/reference.lua, which is made of them).
local reference = require "beamlua.repl.reference"
local suggest = require "beam.base.suggest"
local terminal = require "beamlua.cli.terminal"

local help = {}

local overview = [[
beam.call(name, input)           calls an endpoint          help(beam.call)
beam.realtime(name)              opens a connection         help(beam.realtime), help(conn)
beam.submit(name, input)         submits a task             help(beam.submit)
beam.deployments()               what is deployed           help "beam.deployment"
beam.inspect(value)              a value as text

help(x) says what is known of a function or an object of the module, help "name" of what has that name; Tab completes names, also those of
deployments in beam.call("…. Ctrl-C ends a line that runs, Ctrl-D or exit the prompt. At the shell: beamlua help.]]

-- ---- Text ----

-- Lines no wider than the terminal, each after the first with `indent`.
local function wrap(text, indent, width)
  local lines, line = {}, nil
  for word in text:gmatch "%S+" do
    if line and utf8.len(line .. " " .. word) > width then
      lines[#lines + 1] = line
      line = indent .. word
    else
      line = line and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- { words before the first tag, then tags: { "param", "target", "string|…", "text" } }; a line that is indented goes on.
local function read(text)
  local said, tags = {}, {}
  for line in text:gmatch "[^\n]+" do
    local name, rest = line:match "^@([a-z]+) ?(.*)$"
    if name then
      tags[#tags + 1] = { name, rest }
    elseif #tags > 0 then
      tags[#tags][2] = tags[#tags][2] .. " " .. line:match "^%s*(.*)$"
    else
      said[#said + 1] = line
    end
  end
  return table.concat(said, " "), tags
end

-- "{ id: string }? what it is": a type may have blanks within its brackets.
local function split_type(text)
  local depth, place = 0, 1
  while place <= #text do
    local c = text:sub(place, place)
    if c:find "[{(<%[]" then
      depth = depth + 1
    elseif c:find "[})>%]]" then
      depth = depth - 1
    elseif c == " " and depth == 0 and not text:sub(place - 1, place - 1):find "[:,]" then
      return text:sub(1, place - 1), text:sub(place + 1)
    end
    place = place + 1
  end
  return text, ""
end

local function column(rows)
  local widest = 0
  for _, row in ipairs(rows) do
    widest = math.max(widest, #row[1])
  end
  return widest
end

local function put_rows(out, rows, width)
  local widest = column(rows)
  for _, row in ipairs(rows) do
    local start = "  " .. row[1] .. (" "):rep(widest - #row[1] + 2)
    out[#out + 1] = start .. wrap(row[2], (" "):rep(widest + 4), width - #start)
  end
end

local function row_of(tag)
  local kind, text = tag[1], tag[2]
  if kind == "return" then
    return { "returns", text }
  end
  local name, rest = text:match "^(%S+) ?(.*)$"
  local of, said = split_type(rest)
  return { name, said == "" and of or of .. ": " .. said }
end

local listed = { param = true, field = true, ["return"] = true }

local function describe(entry)
  local width = math.max(40, terminal.columns(1))
  local said, tags = read(entry[3])
  local out, rows = { terminal.painter(1)("bold", entry[1]) }, {}
  if said ~= "" then
    out[#out + 1] = "  " .. wrap(said, "  ", width - 2)
  end
  for _, tag in ipairs(tags) do
    if listed[tag[1]] then
      rows[#rows + 1] = row_of(tag)
    end
  end
  put_rows(out, rows, width)
  if entry.methods and entry.methods[1] then
    out[#out + 1] = "  methods: " .. wrap(table.concat(entry.methods, ", "), "  ", width - 11)
  end
  out[#out + 1] = "  " .. entry[2]
  return table.concat(out, "\n")
end

-- ---- Whose function is it? ----

local function class_of(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") or nil
end

-- The functions of a client are bound to it.
local function bound_name(fn)
  for index = 1, 2 do
    local name, run = debug.getupvalue(fn, index)
    for field, where in pairs(name == "run" and require("beam.client").functions or {}) do
      local module = package.loaded[where[1]]
      if module and rawget(module, where[2]) == run then
        return "beam." .. field
      end
    end
  end
end

-- A method of an object that is a global.
local function method_name(fn)
  for _, value in next, _G do
    local class = reference.classes[class_of(value) or ""]
    local index = class and rawget(debug.getmetatable(value), "__index")
    for _, method in ipairs(class and type(index) == "table" and class.methods or {}) do
      if rawget(index, method) == fn then
        return class[1] .. ":" .. method
      end
    end
  end
end

local function name_of(fn)
  local beam = require "beam"
  for name in pairs(reference.functions) do
    local module, field = name:match "^beam%.?([0-9A-Za-z_]*)%.([0-9A-Za-z_]+)$"
    local holder = module and (module == "" and beam or rawget(beam, module) or package.loaded["beam." .. module])
    if type(holder) == "table" and rawget(holder, field) == fn then
      return name
    end
  end
  return bound_name(fn) or method_name(fn)
end

-- ---- Topics ----

local function named(name)
  local texts = {}
  for _, full in ipairs { name, "beam." .. name, (name:gsub("%.([0-9A-Za-z_]+)$", ":%1")) } do
    for _, list in ipairs { reference.functions, reference.classes } do
      if list[full] and not texts[1] or texts[1] and list[full] and full == name then
        texts[#texts + 1] = describe(list[full])
      end
    end
  end
  return texts[1] and table.concat(texts, "\n\n") or nil
end

-- What a module of the module has, as beam.retry.
local function module_text(value)
  local beam, lines = require "beam", {}
  for name, entry in pairs(reference.functions) do
    local module, field = name:match "^beam%.([0-9A-Za-z_]+)%.([0-9A-Za-z_]+)$"
    local holder = module and (rawget(beam, module) or package.loaded["beam." .. module])
    if holder == value and rawget(value, field) ~= nil then
      lines[#lines + 1] = describe(entry)
    end
  end
  table.sort(lines)
  return lines[1] and table.concat(lines, "\n\n") or nil
end

local function all_names()
  local names = {}
  for _, list in ipairs { reference.functions, reference.classes } do
    for name in pairs(list) do
      names[name], names[name:gsub("^beam%.", "")] = true, true
    end
  end
  return names
end

local function unknown(topic)
  if type(topic) ~= "string" then
    return "nothing is known of this " .. type(topic) .. ": help(x) is about what the module has, help() says more"
  end
  local meant = suggest(topic, all_names())
  return ("nothing is known of '%s'%s"):format(topic, meant and ("; did you mean '%s'?"):format(meant) or "")
end

--- What help says of something.
---@param topic any a function or an object of the module, the name of one; nil: what there is
---@return string
function help.text(topic)
  local beam = require "beam"
  if topic == nil or topic == beam then
    return overview
  elseif type(topic) == "string" then
    return named(topic) or unknown(topic)
  elseif type(topic) == "function" then
    local name = name_of(topic)
    return name and named(name) or unknown(topic)
  end
  local class = reference.classes[class_of(topic) or ""]
  return class and describe(class) or type(topic) == "table" and module_text(topic) or unknown(topic)
end

--- What the global help is: called it prints, alone it is shown.
help.global = setmetatable({}, {
  __name = "help",
  __call = function(_, topic)
    print(help.text(topic))
  end,
  __tostring = function()
    return help.text()
  end,
})

return help
