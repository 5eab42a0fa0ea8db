-- A report as one HTML file, without a program in it and without anything from elsewhere: pictures, and each of them as a table as well.
local charts = require "beamlua.load.charts"
local markup = require "beamlua.load.markup"
local style = require "beamlua.load.style"
local text = require "beamlua.load.text"
local units = require "beamlua.load.units"

local page = {}

local escape, time, count = markup.escape, units.time, units.count

-- ---- Figures ----

local function figure(name, value, class)
  return ('<div class="%s"><dt>%s</dt><dd>%s</dd></div>'):format(class or "", escape(name), escape(value))
end

local function figures(report)
  local of = report.latency
  return table.concat {
    '<dl class="figures">',
    figure(report.realtime and "answers" or "calls", count(report.ended)),
    figure("a second", units.rate(report.rate)),
    figure("failed", report.failed > 0 and units.share(report.failed, report.ended) or "0", report.failed > 0 and "failed" or nil),
    figure("p50", time(of.p50)),
    figure("p90", time(of.p90)),
    figure("p99", time(of.p99)),
    figure("p99.9", time(of.p99_9)),
    figure("longest", time(of.max)),
    "</dl>",
  }
end

-- ---- Tables ----

local percentile_head = { "p50", "p75", "p90", "p99", "p99.9", "max", "mean" }

local function row_of(name, of, more)
  local row = { name }
  for _, column in ipairs(text.columns) do
    row[#row + 1] = time(of[column[2] or column[1]])
  end
  row[#row + 1] = more or count(of.count)
  return row
end

local function percentile_table(caption, name, last, rows)
  local head = { name }
  for i, column in ipairs(percentile_head) do
    head[i + 1] = column
  end
  head[#head + 1] = last
  return markup.table(caption, head, rows)
end

local function latencies(report)
  local rows = { row_of(report.model == "open" and "from the planned time" or report.realtime and "round trip" or "whole", report.latency) }
  local function add(name, of)
    rows[#rows + 1] = of and of.count > 0 and row_of(name, of) or nil
  end
  add("from the start", report.service)
  add("begun late by", report.lateness)
  add("corrected", report.corrected)
  add("of the failed", report.latency_failed)
  add("cold", report.starts and report.starts.cold)
  add("warm", report.starts and report.starts.warm)
  return percentile_table("Latency", "latency", "calls", rows)
end

local function spans_table(report)
  local rows = {}
  for i, span in ipairs(report.spans) do
    rows[i] = {
      ("%.1f s"):format(span.at),
      count(span.calls),
      units.rate(span.rate),
      count(span.failed),
      count(span.in_flight),
      time(span.p50),
      time(span.p90),
      time(span.p99),
      time(span.max),
    }
  end
  return markup.table("What happened when", { "from", "calls", "a second", "failed", "under way", "p50", "p90", "p99", "max" }, rows)
end

local function histogram_table(report)
  local rows = {}
  for i, span in ipairs(report.histogram) do
    rows[i] = { time(span.from) .. " to " .. time(span.to), count(span.count), units.share(span.count, report.latency.count) }
  end
  return markup.table("How many took how long", { "latency", "calls", "of all" }, rows)
end

local function phases_table(report)
  local rows = {}
  for i, of in ipairs(report.phases) do
    rows[i] = row_of(text.phase_names[of.phase] or of.phase, of)
  end
  return percentile_table("Phases", "phase", "times", rows)
end

local function failures_table(report)
  local rows = {}
  for i, sort in ipairs(report.errors) do
    local ran = sort.executed
    local name = sort.status and ("%s %s"):format(sort.kind, sort.status) or sort.kind
    local executed = ("yes %d, no %d, unknown %d"):format(ran.yes or 0, ran.no or 0, ran.unknown or 0)
    rows[i] = { name, count(sort.count), executed, text.first_line(sort.message) .. (sort.hint and (" (%s)"):format(sort.hint) or "") }
  end
  local made = markup.table("Failures", { "kind", "calls", "executed", "what the first one said" }, rows)
  return (made:gsub("^<table>", '<table class="said">'))
end

-- ---- The whole ----

local function about(report)
  local ran = report.executed
  local said = { ("executed: yes %s, no %s, unknown %s"):format(count(ran.yes), count(ran.no), count(ran.unknown)) }
  said[#said + 1] = ("connections made: %s"):format(count(report.connections))
  if report.planned then
    local planned = "planned %s, begun %s, late %s, not begun %s"
    said[#said + 1] = planned:format(count(report.planned), count(report.started), count(report.late.count), count(report.not_started))
  end
  local lines = { "<p>" .. escape(table.concat(said, "; ")) .. "</p>" }
  for _, remark in ipairs(text.remarks(report)) do
    lines[#lines + 1] = "<p>" .. escape(remark) .. "</p>"
  end
  lines[#lines + 1] = report.starts and "<p>" .. escape(report.starts.remark) .. "</p>" or nil
  lines[#lines + 1] = ("<p>Percentiles are at most %s above the exact ones.</p>"):format(units.share(report.percentile_error, 1))
  return '<div class="remarks">' .. table.concat(lines, "\n") .. "</div>"
end

--- The file.
---@param report table beamlua/load/report.lua
---@return string
function page.text(report)
  local title = escape(text.title(report))
  local pieces = {
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta http-equiv="content-security-policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
    ("<title>%s</title>\n<style>%s</style></head><body><main>"):format(title, style),
    ("<h1>%s</h1><p class=\"remarks\">%s, beamlua %s</p>"):format(title, escape(report.when), escape(report.beamlua)),
    figures(report),
    markup.card("Time line", charts.time_line(report), spans_table(report)),
    markup.card("Histogram", charts.histogram(report), histogram_table(report)),
    markup.plain_card("Latency", latencies(report), nil, about(report)),
  }
  if #report.phases > 0 then
    local heading = report.realtime and "Opening a connection" or "Phases"
    pieces[#pieces + 1] = markup.card(heading, charts.phases(report, text.phase_names), phases_table(report))
  end
  if #report.errors > 0 then
    pieces[#pieces + 1] = markup.plain_card("Failures", failures_table(report), charts.failures(report))
  end
  return table.concat(pieces, "\n") .. "\n</main></body></html>\n"
end

return page
