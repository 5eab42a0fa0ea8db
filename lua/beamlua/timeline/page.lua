-- A session as one HTML file, without a program in it and without anything from elsewhere: the time line as a picture, and below, to be
-- unfolded, what passed in each connection and request.
local chart = require "beamlua.timeline.chart"
local style = require "beamlua.timeline.style"
local visible = require "beam.base.visible"

local page = {}

local left, right, top, step = 250, 24, 36, 34 -- pixels: of the names, the margin, the scale, a lane
local width = 1200

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape(text)
  return (visible.line(text):gsub('[&<>"]', entities))
end

local function x_of(session, at)
  return left + at / math.max(session.seconds, 1e-9) * (width - left - right)
end

local function name_of(lane)
  return ("%s %d"):format(lane.kind, lane.number)
end

-- ---- The picture ----

local function bar(session, y, class, from, to, title)
  local x = x_of(session, from)
  local wide = math.max(2, x_of(session, to) - x)
  local rect = '<rect class="%s" x="%.1f" y="%d" width="%.1f" height="14" rx="3"><title>%s</title></rect>'
  return rect:format(class, x, y, wide, escape(title))
end

local shapes = { out = "M%.1f %d l-4 -7 h8 z", ["in"] = "M%.1f %d l-4 7 h8 z" }

local function arrow(session, y, mark)
  local outcome = mark.outcome == "unknown" and " unknown" or ""
  local path = shapes[mark.way]:format(x_of(session, mark.at), mark.way == "out" and y - 1 or y + 15)
  local title = ("%s %s"):format(chart.seconds(mark.at), chart.mark(mark))
  return ('<path class="%s%s" d="%s"><title>%s</title></path>'):format(mark.way, outcome, path, escape(title))
end

local function draw_lane(session, lane, y)
  local pieces = {
    ('<a href="#%s-%d"><text class="name" x="0" y="%d">%s</text>'):format(lane.kind, lane.number, y + 7, name_of(lane)),
    ('<text class="label" x="0" y="%d">%s</text></a>'):format(y + 20, escape(lane.label:sub(1, 38))),
    bar(session, y, "waiting", lane.from, lane.to, name_of(lane) .. ": " .. chart.result(lane)),
  }
  for _, phase in ipairs(lane.phases) do
    local title = ("%s, %s"):format(phase.name, chart.seconds(phase.to - phase.from))
    pieces[#pieces + 1] = bar(session, y, "phase " .. phase.name, phase.from, phase.to, title)
  end
  for _, mark in ipairs(lane.marks) do
    pieces[#pieces + 1] = arrow(session, y, mark)
  end
  if not lane.ok then
    local x = x_of(session, lane.to)
    local cross = '<path class="failed" d="M%.1f %d l10 10 m0 -10 l-10 10"><title>%s</title></path>'
    pieces[#pieces + 1] = cross:format(x - 5, y + 2, escape(lane.result))
  end
  return table.concat(pieces, "\n")
end

local function scale(session, height)
  local pieces = {}
  for i = 0, 5 do
    local at = session.seconds * i / 5
    local x = x_of(session, at)
    local anchor = i == 5 and "end" or i == 0 and "start" or "middle"
    pieces[#pieces + 1] = ('<line class="grid" x1="%.1f" x2="%.1f" y1="24" y2="%d"/>'):format(x, x, height)
    pieces[#pieces + 1] = ('<text class="tick" x="%.1f" y="16" text-anchor="%s">%s</text>'):format(x, anchor, chart.seconds(at))
  end
  return table.concat(pieces, "\n")
end

local function picture(session)
  local height = top + #session.lanes * step + 6
  local svg = '<svg viewBox="0 0 %d %d" role="img" aria-labelledby="title" class="chart">\n%s\n'
  local pieces = { svg:format(width, height, scale(session, height)) }
  for i, lane in ipairs(session.lanes) do
    pieces[#pieces + 1] = draw_lane(session, lane, top + (i - 1) * step)
  end
  return table.concat(pieces, "\n") .. "\n</svg>"
end

-- ---- What passed ----

local function row(at, way, text, class)
  return ('<tr class="%s"><td>%.4f</td><td>%s</td><td><code>%s</code></td></tr>'):format(class, at, way, escape(text))
end

local arrows = { out = "→", ["in"] = "←" }

local function details(lane)
  local pieces = {
    ('<details id="%s-%d"%s><summary><b>%s</b> <code>%s</code> <span class="%s">%s</span></summary><table>'):format(
      lane.kind,
      lane.number,
      lane.ok and "" or " open",
      name_of(lane),
      escape(lane.label),
      lane.ok and "good" or "bad",
      escape(chart.result(lane))
    ),
    '<thead><tr><th scope="col">s</th><th scope="col"><span class="unseen">way</span></th><th scope="col">what</th></tr></thead><tbody>',
  }
  for _, told in ipairs(chart.rows(lane)) do
    local unknown = told.mark and told.mark.outcome == "unknown"
    pieces[#pieces + 1] = row(told.at, arrows[told.way] or "", told.text, told.way .. (unknown and " unknown" or ""))
  end
  return table.concat(pieces, "\n") .. "</tbody></table></details>"
end

local legend = '<p class="legend"><i class="waiting"></i>waiting <i class="dns"></i>dns <i class="tcp"></i>tcp <i class="tls"></i>tls '
  .. '<i class="upgrade"></i>upgrade <i class="open"></i>open, answer <i class="closing"></i>closing '
  .. "<b>▼</b> sent <b>▲</b> received <b class=\"bad\">×</b> failed</p>"

--- The file.
---@param session table beamlua/timeline/lanes.lua
---@return string
function page.text(session)
  local pieces = {
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta http-equiv="content-security-policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
    "<title>" .. escape(chart.title(session)) .. "</title>\n<style>" .. style .. "</style></head><body>",
    '<h1 id="title">' .. escape(chart.title(session)) .. "</h1>",
    '<section class="card"><div class="scroll" tabindex="0" role="region" aria-label="Time line">' .. picture(session) .. "</div>",
    legend .. '</section><section class="card"><h2>What passed</h2>',
  }
  for _, lane in ipairs(session.lanes) do
    pieces[#pieces + 1] = details(lane)
  end
  return table.concat(pieces, "\n") .. "\n</section></body></html>\n"
end

return page
