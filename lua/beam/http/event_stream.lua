-- A streamed body, cut into items as it comes: a pure parser, fed with bytes that may be split anywhere. The formats:
--
--   sse     server-sent events (WHATWG HTML, section 9.2.6): fields, comments, lines that end in CR, LF or CRLF; an event that its blank
--           line does not end is thrown away, as the standard has it
--   data    Beam's own (docs/wire.md section 4): the same, but what the end cuts off is an item, and so is a line that is no field, marked
--           `unframed`: at its deadline Beam writes a bare {"error": …} into the stream
--   lines   NDJSON: an item for each line that is not empty
--   whole   one item, at the end
--   raw     an item for each piece, as it comes
--   auto    "data" if it begins with a field or a comment of server-sent events, or is that error alone; else "raw"
--
-- In server-sent events a field's name begins with no brace, so a line that does is `unframed` there too.
local event_stream = {}

---@class beam.stream_item
---@field data string
---@field event string? its type; none: "message"
---@field id string? the last one given, by this item or one before it
---@field retry number? seconds to wait before connecting again, where this item says so, or a block without data before it
---@field unframed boolean? a line between the events

---@class beam.event_stream
---@field format string as given; of "auto", what it is, once that is known
---@field last_id string? for Last-Event-ID
---@field retry number? seconds, as told last
local Parser = {}
Parser.__index = Parser
Parser.__name = "beam.event_stream"

local default_max = 16 * 1024 * 1024 -- bytes of an item
local byte_order_mark = "^\239\187\191"

-- ---- What of a line, or of a whole body, has come ----

-- Neighbours of similar size are joined first, so that a byte is copied log(n) times however small the pieces are.
local function hold(self, piece)
  local pieces, count = self.pieces, #self.pieces + 1
  pieces[count] = piece
  self.held = self.held + #piece
  while count > 1 and #pieces[count - 1] <= #pieces[count] do
    pieces[count - 1] = pieces[count - 1] .. pieces[count]
    pieces[count] = nil
    count = count - 1
  end
end

local function take_held(self, last)
  if self.held == 0 then
    return last
  end
  local text = table.concat(self.pieces) .. last
  self.pieces, self.held = {}, 0
  return text
end

-- `more` bytes are to be added to the item that is being read.
local function fits(self, more)
  if self.held + self.data_size + more <= self.max then
    return true
  end
  self.problem = ("an item is larger than %d bytes"):format(self.max)
  return false
end

-- ---- Server-sent events ----

local function clear_event(self)
  self.data, self.data_size, self.event = {}, 0, nil
end

local function dispatch(self, items)
  if #self.data > 0 then
    items[#items + 1] = { data = table.concat(self.data, "\n"), event = self.event, id = self.last_id, retry = self.told_retry }
    self.told_retry = nil
  end
  clear_event(self)
end

local fields = {}

function fields.data(self, value)
  self.data[#self.data + 1] = value
end

function fields.event(self, value)
  self.event = value ~= "" and value or nil
end

function fields.id(self, value)
  if not value:find("\0", 1, true) then
    self.last_id = value
  end
end

function fields.retry(self, value)
  if value:find "^%d+$" then
    self.retry = tonumber(value) / 1000
    self.told_retry = self.retry
  end
end

local function unframed(self, line, items)
  dispatch(self, items)
  items[#items + 1] = { data = line, unframed = true }
end

local function read_event_line(self, line, items)
  if line == "" then
    return dispatch(self, items)
  end
  local colon = line:find(":", 1, true)
  if colon == 1 then
    return
  end
  local field = fields[colon and line:sub(1, colon - 1) or line]
  if field then
    local value = colon and line:sub(colon + 1) or ""
    self.data_size = self.data_size + #line
    field(self, value:sub(1, 1) == " " and value:sub(2) or value)
  elseif self.format == "data" or line:sub(1, 1) == "{" then
    unframed(self, line, items)
  end
end

-- ---- Lines ----

local function read_json_line(_, line, items)
  line = line:gsub("\r$", "")
  if line:find "%S" then
    items[#items + 1] = { data = line }
  end
end

local function end_line(self, line, items)
  if not self.begun then
    self.begun = true
    line = line:gsub(byte_order_mark, "")
  end
  self.read_line(self, line, items)
end

-- The LF of a CRLF may come with the next piece.
local function skip_line_feed(self, bytes)
  if not self.after_return or bytes == "" then
    return 1
  end
  self.after_return = false
  return bytes:byte(1) == 10 and 2 or 1
end

-- Where a character is next, from the place where it was found last; false: nowhere. Plain searches take a hundredth of the time of a
-- pattern.
local function next_place(bytes, character, place, first)
  if place and place < first then
    return bytes:find(character, first, true) or false
  end
  return place
end

local function feed_lines(self, bytes, items)
  local first = skip_line_feed(self, bytes)
  local line_feed, carriage_return = 0, self.ends_with_return and 0
  while true do
    line_feed = next_place(bytes, "\n", line_feed, first)
    carriage_return = next_place(bytes, "\r", carriage_return, first)
    local last = carriage_return and math.min(carriage_return, line_feed or carriage_return) or line_feed
    if not fits(self, (last or #bytes + 1) - first) then
      return
    elseif not last then
      break
    end
    end_line(self, take_held(self, bytes:sub(first, last - 1)), items)
    first = last + 1
    if bytes:byte(last) == 13 then
      self.after_return = first > #bytes
      first = bytes:byte(first) == 10 and first + 1 or first
    end
  end
  if first <= #bytes then
    hold(self, bytes:sub(first))
  end
end

local function finish_lines(self, items)
  local line = take_held(self, "")
  if line ~= "" and (self.format ~= "sse" or line:sub(1, 1) == "{") then
    end_line(self, line, items)
  end
  if self.format == "data" then
    dispatch(self, items)
  end
end

-- ---- The formats ----

local formats = {}

formats.sse = { feed = feed_lines, finish = finish_lines, read_line = read_event_line, ends_with_return = true }
formats.data = formats.sse
formats.lines = { feed = feed_lines, finish = finish_lines, read_line = read_json_line }

formats.raw = { finish = function() end }
function formats.raw.feed(_, bytes, items)
  if bytes ~= "" then
    items[#items + 1] = { data = bytes }
  end
end

formats.whole = {}
function formats.whole.feed(self, bytes)
  if fits(self, #bytes) then
    hold(self, bytes)
  end
end

function formats.whole.finish(self, items)
  items[1] = { data = take_held(self, "") }
end

local function choose(self, name)
  local format = formats[name]
  self.format, self.read_line, self.ends_with_return = name, format.read_line, format.ends_with_return or false
  self.run_feed, self.run_finish = format.feed, format.finish
end

-- ---- Which one is it? ----

local beginnings = { "data:", "event:", "id:", "retry:", ":", '{"error":"Internal server error"}' }

-- True, false, or nil: it could still become one.
local function begins_with_field(text)
  local open = false
  text = text:gsub(byte_order_mark, "")
  for _, beginning in ipairs(beginnings) do
    if text:sub(1, #beginning) == beginning then
      return true
    end
    open = open or beginning:sub(1, #text) == text
  end
  if not open and not ("\239\187\191"):find(text, 1, true) then
    return false
  end
end

local function settle(self, text, begins, items)
  choose(self, begins and "data" or "raw")
  self.run_feed(self, text, items)
end

formats.auto = {}
function formats.auto.feed(self, bytes, items)
  local text = take_held(self, bytes)
  local begins = begins_with_field(text)
  if begins == nil then
    hold(self, text)
  else
    settle(self, text, begins, items)
  end
end

function formats.auto.finish(self, items)
  settle(self, take_held(self, ""), false, items)
end

-- ---- Feeding ----

---@param options { format: "sse"|"data"|"lines"|"whole"|"raw"|"auto", max: integer? } max: bytes of one item, default 16 MiB
---@return beam.event_stream
function event_stream.new(options)
  local self = setmetatable({ max = options.max or default_max, pieces = {}, held = 0, begun = false, after_return = false }, Parser)
  clear_event(self)
  choose(self, options.format)
  return self
end

---@param name any
---@return boolean
function event_stream.is_format(name)
  return formats[name] ~= nil
end

local function give(self, items)
  if self.problem and #items == 0 then
    return nil, self.problem
  end
  return items
end

--- Takes the next bytes. An item over `max` ends it all; what was whole before comes first, then the failure with the next call.
---@param bytes string
---@return beam.stream_item[]? items those that are whole now; nil once it has failed
---@return string? message why
function Parser:feed(bytes)
  local items = {}
  if not self.problem then
    self.run_feed(self, bytes, items)
  end
  return give(self, items)
end

--- Nothing more will come.
---@return beam.stream_item[]? items, string? message as feed
function Parser:finish()
  local items = {}
  if not self.problem then
    self.run_finish(self, items)
  end
  return give(self, items)
end

return event_stream
