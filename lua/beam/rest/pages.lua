-- A list of the API, page after page, as it is read: in a loop, or by pages:next().
local mistake = require "beam.base.mistake"

local pages = {}

local most_at_once = 10000 -- items of :all() where nothing else is said

---@class beam.pages
---@overload fun(): any
---@field err beam.error? why it ended early
local Pages = {}
local meta = { __name = "beam.pages", __index = Pages }

-- Ids are kept of two pages: one that is given again, because something was added to the list meanwhile, is given then.
local function is_repeated(self, id)
  if not id then
    return false
  elseif self.ids[id] or self.ids_before[id] then
    return true
  end
  self.ids[id] = true
  return false
end

local function turn_page(self)
  local asked = self.cursor
  local records, following = self.fetch(asked)
  if not records then
    self.err, self.at_end = following, true
    return
  end
  self.records, self.position = records, 0
  self.ids_before, self.ids = self.ids, {}
  self.cursor = following
  self.at_end = following == nil or following == asked -- a list that does not go on has ended
end

--- Waits, where the next page has to be fetched first.
---@return any item nil: there are no more, or an error
---@return beam.error? err
function Pages:next()
  while not self.over do
    self.position = self.position + 1
    local record = self.records[self.position]
    if record == nil and self.at_end then
      self.over = true
    elseif record == nil then
      turn_page(self)
    elseif type(record) == "table" and not is_repeated(self, record.id or record.external_id) then
      local item = self.read(record)
      if item ~= nil then
        self.count = self.count + 1
        self.over = self.count >= self.limit
        return item
      end
    end
  end
  return nil, self.err
end

meta.__call = require "beam.base.iterate"

--- All that are left, at most `max`. list.more is true if there may be more.
---@param max integer? default 10000
---@return table[]? list, beam.error? err
function Pages:all(max)
  max = max or most_at_once
  local list = {}
  while #list < max do
    local item = self:next()
    if item == nil then
      if self.err then
        return nil, self.err
      end
      return list
    end
    list[#list + 1] = item
  end
  list.more = not self.over or nil
  return list
end

---@param options { fetch: fun(cursor: string?): (table[]?, any), read: (fun(record: table): any), limit: integer? } fetch: a page and the
---cursor of the next one, or nil and an error; read: the item of a record, nil: it is not wanted
---@return beam.pages
function pages.new(options)
  return setmetatable({
    fetch = options.fetch,
    read = options.read,
    limit = options.limit or math.huge,
    records = {},
    position = 0,
    ids = {},
    ids_before = {},
    count = 0,
    at_end = false,
    over = options.limit == 0,
  }, meta)
end

--- Raises unless it is a number of items.
---@param limit number?
---@param where string "beam.tasks"
function pages.check_limit(limit, where)
  if limit and not (limit >= 0 and limit % 1 == 0) then
    mistake(where .. ": 'limit' is a whole number from 0 on")
  end
end

--- How many records to ask for at once: no more than are wanted, where no record is left out.
---@param limit integer?
function pages.size(limit)
  return math.min(limit or 100, 100)
end

return pages
