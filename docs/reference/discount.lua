-- Discount for LDoc, by its command: the Lua binding (lua-discount) is no longer in every Debian.
local discount = {}

local function convert(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  local pipe = assert(io.popen("markdown '" .. path .. "'", "r"))
  local html = pipe:read "*a"
  pipe:close()
  os.remove(path)
  if html == "" and text:find "%S" then
    return nil, "markdown (package discount) wrote nothing"
  end
  return html
end

local converted = {} -- the same few words describe many a parameter

--- The HTML of a text in Markdown.
---@param text string
---@return string? html
---@return string? problem
function discount.to_html(text)
  local problem
  if not converted[text] then
    converted[text], problem = convert(text)
  end
  return converted[text], problem
end

return discount
