-- multipart/form-data (RFC 7578), from --form NAME=VALUE and NAME=@FILE: sent piece by piece, so that files need not fit into memory.
local core = require("beam.base.native").core()
local errors = require "beam.error"

local form = {}

local piece_size = 65536 -- bytes

local function new_boundary()
  return "beam-" .. core.random(12):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
end

-- As browsers write names in a header (WHATWG, "multipart/form-data encoding algorithm").
local function quoted(name)
  return '"' .. name:gsub('[\r\n"]', { ["\r"] = "%0D", ["\n"] = "%0A", ['"'] = "%22" }) .. '"'
end

local function open(path)
  local file, problem = io.open(path, "rb")
  local size = file and file:seek "end"
  if not size or not file:seek "set" or not file:read(0) and size > 0 then
    return nil, errors.new { kind = "invalid", message = ("%s cannot be read: %s"):format(path, problem or "it is no file") }
  end
  return file, size
end

-- { text } or { file =, size = }, one after the other.
local function add_field(parts, boundary, field)
  local name, at, value = field:match "^([^=]+)=(@?)(.*)$"
  local head = ("--%s\r\ncontent-disposition: form-data; name=%s"):format(boundary, quoted(name))
  if at == "" then
    parts[#parts + 1] = { text = ("%s\r\n\r\n%s\r\n"):format(head, value) }
    return true
  end
  local file, size = open(value)
  if not file then
    return nil, size
  end
  local filename = quoted(value:match "[^/]*$")
  parts[#parts + 1] = { text = ("%s; filename=%s\r\ncontent-type: application/octet-stream\r\n\r\n"):format(head, filename) }
  parts[#parts + 1] = { file = file, size = size }
  parts[#parts + 1] = { text = "\r\n" }
  return true
end

local function reader(parts)
  local position = 1
  return function()
    local part = parts[position]
    local piece = part and (part.text or part.file:read(piece_size))
    if part and (part.text or not piece) then
      position = position + 1
      return piece or (part.file:close() and "")
    end
    return piece
  end
end

-- Empty pieces, of a file's end, are passed over.
local function without_empty(read)
  return function()
    local piece = read()
    while piece == "" do
      piece = read()
    end
    return piece
  end
end

--- The body that these fields make.
---@param fields string[] NAME=VALUE, NAME=@FILE
---@return { body: fun(): string?, size: integer, type: string }?
---@return beam.error? err a file cannot be read
function form.body(fields)
  local boundary, parts, size = new_boundary(), {}, 0
  for _, field in ipairs(fields) do
    local ok, err = add_field(parts, boundary, field)
    if not ok then
      return nil, err
    end
  end
  parts[#parts + 1] = { text = "--" .. boundary .. "--\r\n" }
  for _, part in ipairs(parts) do
    size = size + (part.size or #part.text)
  end
  return { body = without_empty(reader(parts)), size = size, type = "multipart/form-data; boundary=" .. boundary }
end

return form
