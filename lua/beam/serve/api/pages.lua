-- Pages of a list, the newest first: {"data": […], "next": cursor}; an empty cursor ends it. A cursor names the first item of the next
-- page, so that what comes new at the head shifts nothing.
local base64 = require "beam.base64"
local filters = require "beam.serve.api.filters"
local json = require "beam.json"
local timestamp = require "beam.serve.api.timestamp"

local pages = {}

local default_limit = 10

local function cursor_of(item)
  return base64.encode(json.encode { value = timestamp.format(item.created_at), id = item.sequence })
end

local function read_cursor(text)
  local cursor = json.decode(base64.decode(text) or "")
  return type(cursor) == "table" and type(cursor.id) == "number" and cursor.id or nil
end

--- What `limit` and `offset` leave of a list; nil if they cannot be read.
function pages.slice(items, query)
  local limit, offset = filters.natural(query.limit or "0"), filters.natural(query.offset or "0")
  if not limit or not offset then
    return nil
  end
  local slice = {}
  for i = offset + 1, limit > 0 and math.min(#items, offset + limit) or #items do
    slice[#slice + 1] = items[i]
  end
  return slice
end

--- One page. Items have a `sequence`. Returns the page, or nil, a status and a message.
---@param items table[] the newest first
---@param query table<string, string>
---@param render fun(item: table): table
---@return table? page, integer? status, string? message
function pages.page(items, query, render)
  local limit, offset = filters.natural(query.limit or "0"), filters.natural(query.offset or "0")
  local cursor = query.cursor and query.cursor ~= "" and (read_cursor(query.cursor) or false)
  if not limit or not offset then
    return nil, 400, "Failed to decode query parameters"
  elseif cursor == false then
    return nil, 500, "Failed to list"
  end
  local data, first = {}, nil
  for i = offset + 1, #items do
    if not cursor or items[i].sequence <= cursor then
      if #data == (limit > 0 and limit or default_limit) then
        first = items[i]
        break
      end
      data[#data + 1] = render(items[i])
    end
  end
  return { data = json.array(data), next = first and cursor_of(first) or "" }
end

return pages
