-- What commands write to standard output: lines and JSON. Where a person reads it, JSON is indented and coloured; in files and pipes it is
-- one value a line.
local json = require "beam.json"
local terminal = require "beamlua.cli.terminal"
local visible = require "beam.base.visible"

local output = {}

--- Writes it at once: who reads from the pipe waits for it.
---@param text string
function output.write(text)
  local ok, problem = io.stdout:write(text)
  if ok then
    ok, problem = io.stdout:flush()
  end
  if not ok then
    error("standard output: " .. tostring(problem), 0)
  end
end

---@param text string
function output.line(text)
  output.write(text .. "\n")
end

--- A line of what Beam or an app said: for a person without what a terminal would obey; in files and pipes as it is.
---@param text string
function output.told(text)
  output.line(terminal.is(1) and visible.line(text) or text)
end

--- What goes on, on stderr.
---@param context table of beamlua/cli/command.lua
---@param format string
function output.say(context, format, ...)
  io.stderr:write(context.title, ": ", visible.lines(format:format(...)), "\n")
end

-- ---- JSON ----

local colours = { ["true"] = "yellow", ["false"] = "yellow", null = "magenta" }

local byte_order_mark = "^\239\187\191" -- which our reader passes over

-- One value after the other: strings, words and numbers, punctuation.
local function tokens(text)
  local at = text:find(byte_order_mark) and 4 or 1
  return function()
    at = text:find("[^%s]", at)
    if not at then
      return nil
    end
    local first, last = at, at
    if text:byte(at) == 34 then
      repeat
        last = text:find('["\\]', last + 1)
        local escape = text:byte(last) == 92
        last = escape and last + 1 or last
      until not escape
    elseif not text:find("^[%[%]{},:]", at) then
      last = text:find("[%s%[%]{},:]", at)
      last = last and last - 1 or #text
    end
    at = last + 1
    return text:sub(first, last), at
  end
end

local function colour_of(token, text, behind)
  if token:byte() == 34 then
    return text:find("^%s*:", behind) and "cyan" or "green"
  end
  return colours[token] or (token:find "^[-%d]" and "yellow")
end

--- JSON with a line for each value, in the order that it has.
---@param text string valid JSON
---@param paint fun(colour: string, text: string): string
---@return string
function output.indent(text, paint)
  local parts, depth, opened = {}, 0, false
  local function add(...)
    for _, part in ipairs { ... } do
      parts[#parts + 1] = part
    end
  end
  for token, behind in tokens(text) do
    local closes = token == "}" or token == "]"
    if closes then
      depth = depth - 1
    end
    if opened and not closes or closes and not opened then
      add("\n", ("  "):rep(depth))
    end
    opened = token == "{" or token == "["
    if opened then
      depth = depth + 1
      add(token)
    elseif token == "," then
      add(token, "\n", ("  "):rep(depth))
    elseif token == ":" then
      add ": "
    elseif closes then
      add(token)
    else
      local colour = colour_of(token, text, behind)
      local shown = visible.line(token) -- JSON strings may hold U+009B as it is, and ours are read with more
      add(colour and paint(colour, shown) or shown)
    end
  end
  return table.concat(parts)
end

local line_ends = { ["\r"] = "\\r", ["\n"] = "\\n" }

--- On one line, which may stand in another one: line ends between the values go, and a byte order mark; those within strings, which our
--- reader takes, are escaped.
---@param text string valid JSON
function output.compact(text)
  if not text:find "[\r\n]" then
    return (text:gsub(byte_order_mark, ""))
  end
  local parts = {}
  for token in tokens(text) do
    parts[#parts + 1] = token:gsub("[\r\n]", line_ends)
  end
  return table.concat(parts)
end

--- Writes JSON text: indented for a person.
---@param text string valid JSON
function output.json_text(text)
  if terminal.is(1) then
    return output.line(output.indent(text, terminal.painter(1)))
  end
  output.line(output.compact(text))
end

--- Writes a value as JSON.
---@return true?, beam.error? err kind "json"
function output.json(value)
  local text, problem = json.encode(value)
  if not text then
    return nil, require("beam.error").new { kind = "json", message = "the value cannot be written as JSON: " .. problem }
  end
  output.json_text(text)
  return true
end

-- ---- Lists ----

--- A time that Beam told, for a cell; "-" for what is none.
---@param seconds any since 1970
---@return string
function output.time(seconds)
  local is_time = type(seconds) == "number" and seconds > 0
  local ok, text = pcall(os.date, "!%Y-%m-%dT%H:%M:%SZ", is_time and math.floor(seconds)) -- raises for a year that is too far
  return is_time and ok and text or "-"
end

--- A number of bytes that Beam told, for a cell.
---@param bytes any
---@return string
function output.bytes(bytes)
  return type(bytes) == "number" and ("%.0f"):format(bytes) or "-"
end

--- Rows of texts: in columns for a person, with tabs between for a program.
---@param head string[]
---@param rows string[][]
function output.rows(head, rows)
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      row[i] = visible.line(cell)
    end
  end
  if not terminal.is(1) then
    for _, row in ipairs(rows) do
      output.line(table.concat(row, "\t"))
    end
    return
  end
  local widths = {}
  for _, row in ipairs { head, table.unpack(rows) } do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, utf8.len(cell) or #cell)
    end
  end
  local paint = terminal.painter(1)
  for number, row in ipairs { head, table.unpack(rows) } do
    local cells = {}
    for i, cell in ipairs(row) do
      cells[i] = cell .. (" "):rep(i < #row and widths[i] - (utf8.len(cell) or #cell) or 0)
    end
    local line = table.concat(cells, "  ")
    output.line(number == 1 and paint("bold", line) or line)
  end
end

return output
