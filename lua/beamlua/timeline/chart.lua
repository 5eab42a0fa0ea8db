-- A session as text: a bar for each connection and request on one scale of time, and below what passed in each.
local visible = require "beam.base.visible"

local chart = {}

local letters = { dns = "d", tcp = "c", proxy = "p", tls = "t", upgrade = "u", open = "=", answer = "=", closing = "-", closed = "-" }

--- A time, as short as it can be read.
---@param seconds number
---@return string
function chart.seconds(seconds)
  if seconds == 0 then
    return "0"
  elseif seconds < 1 then
    return ("%.1f ms"):format(seconds * 1000)
  end
  return seconds < 100 and ("%.2f s"):format(seconds) or ("%.0f s"):format(seconds)
end

local function count(number, word)
  return ("%d %s%s"):format(number, word, number == 1 and "" or "s")
end

local function put(cells, from, to, letter)
  for i = from, to do
    cells[i] = letter
  end
end

-- The bar of a lane: a letter for the phase, "." while it waits for an answer, < and > for what passed.
local function bar(lane, seconds, width)
  local cells = {}
  local function column(at)
    return math.min(width, 1 + math.floor(at / math.max(seconds, 1e-9) * width))
  end
  put(cells, 1, width, " ")
  put(cells, column(lane.from), column(lane.to), ".")
  for _, phase in ipairs(lane.phases) do
    put(cells, column(phase.from), column(phase.to), letters[phase.name] or "=")
  end
  for _, mark in ipairs(lane.marks) do
    if mark.name == "sent" or mark.name == "received" or mark.name == "piece" then
      cells[column(mark.at)] = mark.way == "out" and ">" or "<"
    end
  end
  if not lane.ok then
    cells[column(lane.to)] = "x"
  end
  return table.concat(cells)
end

local function name_of(lane)
  return ("%s %d"):format(lane.kind, lane.number)
end

--- How a lane ended, in words.
---@param lane table
---@return string
function chart.result(lane)
  local text = ("%s, %s"):format(lane.result:gsub(" $", ""), chart.seconds(lane.to - lane.from))
  if lane.of then
    text = ("%s; try %d, %s after %s"):format(text, lane.try, chart.seconds(lane.waited), name_of(lane.of))
  end
  return lane.lost and lane.lost > 0 and ("%s; %s of unknown fate"):format(text, count(lane.lost, "message")) or text
end

--- What a session is, in a line.
---@param session table
---@return string
function chart.title(session)
  local counts = { connection = 0, request = 0 }
  for _, lane in ipairs(session.lanes) do
    counts[lane.kind] = counts[lane.kind] + 1
  end
  local line = "session of %s, %s: %s, %s%s"
  local full = session.full and (", cut off at %d bytes"):format(session.full) or ""
  return line:format(
    visible.line(session.started),
    chart.seconds(session.seconds),
    count(counts.connection, "connection"),
    count(counts.request, "request"),
    full
  )
end

local arrows = { out = "->", ["in"] = "<-" }

--- A mark's text, with what became of it.
---@param mark table
---@return string
function chart.mark(mark)
  local name = (mark.name == "sent" or mark.name == "received" or mark.name == "piece") and "" or mark.name:gsub("^sent_", "") .. " "
  local text = visible.line(mark.text) .. (mark.cut and ("… (%d bytes)"):format(mark.bytes) or "")
  return name .. text .. (mark.outcome and "   [" .. mark.outcome .. "]" or "")
end

--- What is told of a lane, in order: { at, way or "", text, mark }.
---@param lane table
---@return table[]
function chart.rows(lane)
  local rows = {}
  local function add(at, way, text, mark)
    rows[#rows + 1] = { at = at, way = way, text = text, mark = mark, order = #rows }
  end
  for _, phase in ipairs(lane.phases) do
    if phase.name ~= "open" and phase.name ~= "answer" and phase.name ~= "closed" then
      add(phase.from, "", ("%s for %s"):format(phase.name, chart.seconds(phase.to - phase.from)))
    end
  end
  for _, mark in ipairs(lane.marks) do
    add(mark.at, mark.way, chart.mark(mark), mark)
  end
  table.sort(rows, function(one, other)
    return one.at < other.at or one.at == other.at and one.order < other.order
  end)
  add(lane.to, "", visible.line(chart.result(lane)))
  return rows
end

local function add_events(lines, lane)
  lines[#lines + 1] = ""
  lines[#lines + 1] = ("%s  %s"):format(name_of(lane), visible.line(lane.label))
  for _, row in ipairs(chart.rows(lane)) do
    lines[#lines + 1] = ("  %9.4f  %s %s"):format(row.at, arrows[row.way] or "  ", row.text)
  end
end

--- The session as text.
---@param session table
---@param columns integer of the terminal
---@return string
function chart.text(session, columns)
  local widest = 0
  for _, lane in ipairs(session.lanes) do
    widest = math.max(widest, #name_of(lane))
  end
  local width = math.max(20, math.min(columns, 160) - widest - 6)
  local lines = { chart.title(session), "" }
  local whole = chart.seconds(session.seconds)
  lines[#lines + 1] = (" "):rep(widest + 3) .. "0" .. (" "):rep(width - 1 - #whole) .. whole
  for _, lane in ipairs(session.lanes) do
    lines[#lines + 1] = ("%s%s  |%s|"):format(name_of(lane), (" "):rep(widest - #name_of(lane)), bar(lane, session.seconds, width))
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "d dns  c tcp  p proxy  t tls  u upgrade  = open  - closing  . waiting  > sent  < received  x failed"
  for _, lane in ipairs(session.lanes) do
    add_events(lines, lane)
  end
  return table.concat(lines, "\n") .. "\n"
end

return chart
