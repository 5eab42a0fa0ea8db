-- The report's pictures, as SVG with the page's colours. What each point is stands in its title, which a pointer shows.
local escape = require("beamlua.load.markup").escape
local units = require "beamlua.load.units"

local charts = {}

local width, left, right = 1200, 84, 64 -- pixels: of the picture, of the scale's names, of the lines' names

-- ---- Scales ----

local steps = { 1, 2, 5 }

-- Round numbers from 0 to at least `most`, four or so.
local function linear_marks(most)
  local power = 10 ^ math.floor(math.log(most) / math.log(10))
  local step = power
  for _, share in ipairs { 0.2, 0.25, 0.5, 1, 2 } do
    if most / (power * share) <= 5 then
      step = power * share
      break
    end
  end
  local marks = {}
  for i = 0, math.ceil(most / step - 1e-9) do
    marks[#marks + 1] = i * step
  end
  return marks
end

-- 1, 2 and 5 of each power of ten between two numbers, both enclosed; where that is many, powers alone.
local function log_marks(low, high)
  local first, last = math.floor(math.log(low) / math.log(10) - 1e-9), math.ceil(math.log(high) / math.log(10) - 1e-9)
  local all = {}
  for power = first, last do
    for _, step in ipairs(last - first > 2 and { 1 } or steps) do
      all[#all + 1] = step * 10 ^ power
    end
  end
  local from, to = 1, #all
  while all[from + 1] and all[from + 1] <= low do
    from = from + 1
  end
  while all[to - 1] and to - 1 > from and all[to - 1] >= high do
    to = to - 1
  end
  return { (table.unpack or unpack)(all, from, to) } -- luacheck: ignore 113
end

local function text(class, x, y, anchor, said)
  return ('<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>'):format(class, x, y, anchor, escape(said))
end

local function line(class, x1, y1, x2, y2)
  return ('<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>'):format(class, x1, y1, x2, y2)
end

local function grid(pieces, marks, y_of, name_of)
  for _, mark in ipairs(marks) do
    local y = y_of(mark)
    pieces[#pieces + 1] = line("grid", left, y, width - right, y)
    pieces[#pieces + 1] = text("tick", left - 8, y + 4, "end", name_of(mark))
  end
end

local function picture(height, name, said, pieces)
  local head = '<svg viewBox="0 0 %d %d" role="img" aria-labelledby="%s-title %s-said" class="chart">'
  local titles = '<title id="%s-title">%s</title><desc id="%s-said">%s</desc>'
  local said_of = titles:format(name, escape(name), name, escape(said))
  return head:format(width, height, name, name) .. said_of .. "\n" .. table.concat(pieces, "\n") .. "\n</svg>"
end

-- ---- When ----

local lines = { { "p50", "p50" }, { "p90", "p90" }, { "p99", "p99" }, { "max", "max" } }

local function time_scale(pieces, seconds, x_of, y)
  for _, mark in ipairs(linear_marks(seconds)) do
    if mark <= seconds * 1.001 then
      pieces[#pieces + 1] = text("tick", x_of(mark), y, "middle", ("%g s"):format(mark))
    end
  end
end

local function rates(pieces, report, x_of, top, bottom)
  local most = report.rate_planned or 1
  for _, span in ipairs(report.spans) do
    most = math.max(most, span.rate)
  end
  local marks = linear_marks(most)
  local function y_of(rate)
    return bottom - rate / marks[#marks] * (bottom - top)
  end
  grid(pieces, marks, y_of, function(mark)
    return ("%g/s"):format(mark)
  end)
  for _, span in ipairs(report.spans) do
    local x, wide = x_of(span.at), math.max(1, x_of(span.at + span.seconds) - x_of(span.at) - 1)
    local bad = span.calls > 0 and span.rate * span.failed / span.calls or 0
    local rect = '<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>'
    pieces[#pieces + 1] = rect:format("rate", x, y_of(span.rate), wide, bottom - y_of(span.rate))
    if bad > 0 then
      pieces[#pieces + 1] = rect:format("bad", x, y_of(bad), wide, bottom - y_of(bad))
    end
  end
  if report.rate_planned then
    local y = y_of(report.rate_planned)
    pieces[#pieces + 1] = line("planned", left, y, width - right, y)
    pieces[#pieces + 1] = text("name planned", width - right + 6, y + 4, "start", "planned")
  end
end

-- The points of a line; where nothing ended there is a gap.
local function path_of(report, field, x_of, y_of)
  local path, pen = {}, "M"
  for _, span in ipairs(report.spans) do
    if span[field] then
      path[#path + 1] = ("%s%.1f %.1f"):format(pen, x_of(span.at + span.seconds / 2), y_of(span[field]))
      pen = "L"
    end
  end
  return table.concat(path, " ")
end

-- Names of lines that end near to each other are moved apart.
local function name_lines(pieces, report, y_of, top)
  local last
  for i = #report.spans, 1, -1 do
    last = last or report.spans[i].p50 and report.spans[i]
  end
  local below = top - 14
  for i = last and #lines or 0, 1, -1 do
    local y = math.max(y_of(last[lines[i][2]]) + 4, below + 14)
    pieces[#pieces + 1] = text("name " .. lines[i][1], width - right + 6, y, "start", lines[i][1])
    below = y
  end
end

local function percentiles(pieces, report, x_of, top, bottom)
  local low, high = math.huge, 1e-6
  for _, span in ipairs(report.spans) do
    low, high = math.min(low, span.p50 or low), math.max(high, span.max or high)
  end
  low = low < math.huge and math.max(low, 1e-6) or 1e-6
  local marks = log_marks(low, math.max(high, low * 1.1))
  local function y_of(seconds)
    local whole = math.log(marks[#marks] / marks[1])
    return bottom - math.log(math.max(seconds, marks[1]) / marks[1]) / whole * (bottom - top)
  end
  grid(pieces, marks, y_of, units.short)
  for _, row in ipairs(lines) do
    pieces[#pieces + 1] = ('<path class="line %s" d="%s"/>'):format(row[1], path_of(report, row[2], x_of, y_of))
  end
  name_lines(pieces, report, y_of, top)
end

-- What a pointer finds, over both pictures.
local function hints(pieces, report, x_of, top, bottom)
  for _, span in ipairs(report.spans) do
    local said = ("%.1f s: %s/s, failed %d, under way %d"):format(span.at, units.rate(span.rate), span.failed, span.in_flight)
    for _, row in ipairs(span.p50 and lines or {}) do
      said = ("%s, %s %s"):format(said, row[1], units.time(span[row[2]]))
    end
    local x = x_of(span.at)
    local rect = '<rect class="hint" x="%.1f" y="%d" width="%.1f" height="%d"><title>%s</title></rect>'
    pieces[#pieces + 1] = rect:format(x, top, math.max(1, x_of(span.at + span.seconds) - x), bottom - top, escape(said))
  end
end

--- Rate and percentiles, as they went.
---@param report table beamlua/load/report.lua
---@return string
function charts.time_line(report)
  local pieces = {}
  local function x_of(at)
    return left + at / report.seconds * (width - left - right)
  end
  pieces[1] = text("head", left, 14, "start", (report.realtime and "answers" or "calls") .. " that ended, a second")
  rates(pieces, report, x_of, 24, 150)
  pieces[#pieces + 1] = text("head", left, 184, "start", report.model == "open" and "latency from the planned time" or "latency")
  percentiles(pieces, report, x_of, 194, 394)
  time_scale(pieces, report.seconds, x_of, 416)
  hints(pieces, report, x_of, 24, 394)
  local said = "Over %s: %s a second, p50 %s, p99 %s, longest %s. The table below has each span of time."
  local of = report.latency
  said = said:format(units.time(report.seconds), units.rate(report.rate), units.time(of.p50), units.time(of.p99), units.time(of.max))
  return picture(424, "time line", said, pieces)
end

-- ---- How long ----

--- How many calls took how long, with the percentiles marked.
---@param report table
---@return string
function charts.histogram(report)
  local spans, pieces, most = report.histogram, {}, 1
  for _, span in ipairs(spans) do
    most = math.max(most, span.count)
  end
  local marks, bottom, top = linear_marks(most), 200, 26
  local function y_of(number)
    return bottom - number / marks[#marks] * (bottom - top)
  end
  grid(pieces, marks, y_of, function(mark)
    return mark % 1 == 0 and units.count(mark) or "" -- there is no half a call
  end)
  local wide = #spans > 0 and (width - left - right) / #spans or 1
  for i, span in ipairs(spans) do
    local x = left + (i - 1) * wide
    local rect = '<rect class="rate" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>'
    local said = ("%s to %s: %s"):format(units.time(span.from), units.time(span.to), units.count(span.count))
    pieces[#pieces + 1] = rect:format(x + 1, y_of(span.count), wide - 2, bottom - y_of(span.count), escape(said))
    if i % 3 == 1 then
      pieces[#pieces + 1] = text("tick", x, bottom + 18, "middle", units.short(span.from))
    end
  end
  local function x_of(seconds)
    for i, span in ipairs(spans) do
      if seconds <= span.to then
        local share = math.log(math.max(seconds, span.from) / span.from) / math.log(span.to / span.from)
        return left + (i - 1 + share) * wide
      end
    end
    return width - right
  end
  local before = -math.huge
  for _, name in ipairs { "p50", "p90", "p99" } do
    if report.latency[name] then
      local x = x_of(report.latency[name])
      pieces[#pieces + 1] = line("mark " .. name, x, top - 8, x, bottom)
      before = math.max(x + 4, before + 32)
      pieces[#pieces + 1] = text("name " .. name, before, top - 10, "start", name)
    end
  end
  return picture(228, "histogram", "How many took how long; the table below has each span.", pieces)
end

-- ---- Parts, failures ----

-- Bars to the right of their names, one below the other: { name, class, length, said }.
local function bars(name, said, rows)
  local pieces, most = {}, 1e-9
  for _, row in ipairs(rows) do
    most = math.max(most, row.length)
  end
  for i, row in ipairs(rows) do
    local y, wide = (i - 1) * 30, math.max(2, row.length / most * (width - 120 - 400))
    pieces[#pieces + 1] = text("label", 110, y + 19, "end", row.name)
    local rect = '<rect class="%s" x="120" y="%d" width="%.1f" height="18" rx="3"/>'
    pieces[#pieces + 1] = rect:format(row.class, y + 6, wide)
    pieces[#pieces + 1] = text("tick", 120 + wide + 8, y + 19, "start", row.said)
  end
  return picture(math.max(1, #rows) * 30 + 6, name, said, pieces)
end

--- What the time went into: the mean of each part over all calls.
---@param report table
---@param names table<string, string>
---@return string
function charts.phases(report, names)
  local rows, calls = {}, math.max(1, report.realtime and report.concurrency or report.ended)
  for _, figures in ipairs(report.phases) do
    if figures.phase ~= "total" then
      local share = figures.mean * figures.count / calls
      local said = "p50 %s, p99 %s, longest %s, %s times"
      said = said:format(units.time(figures.p50), units.time(figures.p99), units.time(figures.max), units.count(figures.count))
      rows[#rows + 1] = { name = names[figures.phase] or figures.phase, class = "phase " .. figures.phase, length = share, said = said }
    end
  end
  return bars("phases", "What the time of a call went into, on average over all of them.", rows)
end

--- Failures by their kind.
---@param report table
---@return string
function charts.failures(report)
  local rows = {}
  for _, sort in ipairs(report.errors) do
    local name = sort.status and ("%s %s"):format(sort.kind, sort.status) or sort.kind
    rows[#rows + 1] = { name = name, class = "bad", length = sort.count, said = units.count(sort.count) }
  end
  return bars("failures", "How many failed in which way.", rows)
end

return charts
