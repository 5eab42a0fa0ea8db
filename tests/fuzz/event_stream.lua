-- Any bytes as a stream of events. The first byte chooses the format and how they are cut: the items are the same as without cuts.
local event_stream = require "beam.http.event_stream"

local formats = { "sse", "data", "lines", "whole", "auto" }
local max = 512 -- bytes of an item

local function collect(all, parser, items, message)
  for _, item in ipairs(items or {}) do
    assert(#item.data <= max or parser.format == "raw", "an item over the bound") -- raw pieces are as they come
    all[#all + 1] = ("%s|%s|%s|%s|%s"):format(item.data, item.event, item.id, item.retry, item.unframed)
  end
  return items ~= nil or message
end

local function read(format, text, size)
  local parser, all = event_stream.new { format = format, max = max }, {}
  for first = 1, #text, size do
    local went_on = collect(all, parser, parser:feed(text:sub(first, first + size - 1)))
    if went_on ~= true then
      return table.concat(all, "\n"), went_on
    end
  end
  local went_on = collect(all, parser, parser:finish())
  return table.concat(all, "\n"), went_on ~= true and went_on or nil
end

return function(bytes)
  local choice = bytes:byte(1) or 0
  local format, text = formats[choice % #formats + 1], bytes:sub(2)
  local whole, problem = read(format, text, math.max(1, #text))
  local cut, cut_problem = read(format, text, math.floor(choice / 8) % 7 + 1)
  if format ~= "auto" or not problem then
    assert(problem == cut_problem, ("%s: %s, and cut: %s"):format(format, tostring(problem), tostring(cut_problem)))
  end
  if format ~= "auto" then
    assert(whole == cut, ("%s: %q, and cut: %q"):format(format, whole, cut))
  end
end
