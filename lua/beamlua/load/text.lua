-- A report for the terminal.
local ascii = require "beam.base.ascii"
local units = require "beamlua.load.units"
local visible = require "beam.base.visible"

local text = {}

local time, count, share = units.time, units.count, units.share

text.columns = { { "p50" }, { "p75" }, { "p90" }, { "p99" }, { "p99.9", "p99_9" }, { "max" }, { "mean" } }

local columns = text.columns

text.phase_names = {
  queued = "queued",
  dns = "dns",
  tcp = "tcp",
  tls = "tls",
  proxy = "proxy",
  wait = "first byte",
  body = "body",
  total = "whole",
  upgrade = "upgrade",
}

-- A cell of so many characters, to the right.
local function right(cell, width)
  local length = utf8.len(cell) or #cell
  return (" "):rep(width - length) .. cell
end

local function left(cell, width)
  local length = utf8.len(cell) or #cell
  return cell .. (" "):rep(width - length)
end

local function row(name, figures, more)
  local cells = { "  " .. left(name, 14) }
  for i, column in ipairs(columns) do
    cells[i + 1] = right(time(figures[column[2] or column[1]]), 9)
  end
  return table.concat(cells) .. (more and right(more, 12) or "")
end

local function head(name, more)
  local cells = { "  " .. left(name, 14) }
  for i, column in ipairs(columns) do
    cells[i + 1] = right(column[1], 9)
  end
  return table.concat(cells) .. (more and right(more, 12) or "")
end

-- ---- Parts ----

--- What was done, in a line.
---@param report table
---@return string
function text.title(report)
  local how = ("%d at a time"):format(report.concurrency)
  if report.realtime then
    how = units.several(report.concurrency, "connection")
    how = report.rate_planned and ("%s, %s messages a second planned"):format(how, units.rate(report.rate_planned)) or how
  elseif report.rate_planned then
    how = ("%s calls a second planned"):format(units.rate(report.rate_planned))
  end
  return ("%s, %s, %s"):format(visible.line(report.what), time(report.seconds), how)
end

--- What a reader of the percentiles has to know, sentence by sentence.
---@param report table
---@return string[]
function text.remarks(report)
  local said, unit = {}, report.realtime and "message" or "call"
  local function say(format, ...)
    said[#said + 1] = format:format(...)
  end
  if report.model == "open" then
    say("Latency counts from the planned time: what waited because the server stalled is in it (corrected for coordinated omission).")
    if report.late.count > 0 then
      local line = "%s began more than %s after the planned time: this machine, or the bound of %d at a time, held them back."
      say(line, units.several(report.late.count, unit), time(report.late.threshold), report.concurrency)
    end
    if report.not_started > 0 then
      say("%s planned did not begin in time, and count for nothing: the rate was not held.", units.several(report.not_started, unit))
    end
  elseif report.corrected then
    local line = "Corrected as if %s %ss a second had been due: a %s that took longer stands for those that were not made meanwhile."
    say(line, units.rate(report.rate_expected), unit, unit)
  else
    local line = "While a server stalls, nothing further is asked of it: such times count once (coordinated omission)."
    say(line .. " --rate%s counts them all.", report.realtime and "" or " or --expected-rate")
  end
  if report.abandoned > 0 then
    say("%s under way at the end: left alone, and not counted.", units.several(report.abandoned, unit))
  end
  return said
end

local function summary(lines, report)
  local unit = report.realtime and "messages" or "calls"
  local failed = report.failed > 0 and ("   failed %s (%s)"):format(count(report.failed), share(report.failed, report.ended)) or ""
  lines[#lines + 1] = ("  %s%s   %s/s%s"):format(left(unit, 14), count(report.ended), units.rate(report.rate), failed)
  if report.planned then
    local line, late = "  %splanned %s   begun %s   late %s   not begun %s", count(report.late.count)
    local planned, begun = count(report.planned), count(report.started)
    lines[#lines + 1] = line:format(left("schedule", 14), planned, begun, late, count(report.not_started))
  end
  local executed = report.executed
  local ran = "  %syes %s   no %s   unknown %s"
  lines[#lines + 1] = ran:format(left("executed", 14), count(executed.yes), count(executed.no), count(executed.unknown))
  local opened = "  %s%s made   %s"
  local beside = report.realtime and ("%s lost or not made"):format(count(report.lost)) or units.bytes(report.bytes) .. " received"
  lines[#lines + 1] = opened:format(left("connections", 14), count(report.connections), beside)
end

local function latencies(lines, report)
  lines[#lines + 1] = ""
  lines[#lines + 1] = head "latency"
  lines[#lines + 1] = row(report.model == "open" and "from plan" or report.realtime and "round trip" or "whole", report.latency)
  if report.service then
    lines[#lines + 1] = row("from start", report.service)
    lines[#lines + 1] = row("begun late by", report.lateness)
  end
  if report.corrected then
    lines[#lines + 1] = row("corrected", report.corrected)
  end
  if report.latency_failed then
    lines[#lines + 1] = row("the failed", report.latency_failed)
  end
  for _, name in ipairs { "cold", "warm" } do
    if report.starts and report.starts[name].count > 0 then
      lines[#lines + 1] = row(name, report.starts[name])
    end
  end
end

local function phases(lines, report)
  if #report.phases == 0 then
    return
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = head(report.realtime and "opening" or "phase", "times")
  for _, figures in ipairs(report.phases) do
    lines[#lines + 1] = row(text.phase_names[figures.phase] or figures.phase, figures, count(figures.count))
  end
end

local eighths = { "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" }

local function bar(part, width, plain)
  local filled = part * width
  if plain then
    return ("#"):rep(math.floor(filled + 0.5))
  end
  local whole = math.floor(filled)
  local rest = math.ceil((filled - whole) * 8)
  return ("█"):rep(whole) .. (eighths[rest] or "")
end

-- A variable that is empty counts as one that is not set.
local function locale()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE" } do
    local value = os.getenv(name)
    if value and value ~= "" then
      return value
    end
  end
  return os.getenv "LANG" or ""
end

local function histogram(lines, report, width, paint)
  local most = 0
  for _, span in ipairs(report.histogram) do
    most = math.max(most, span.count)
  end
  if most == 0 then
    return
  end
  lines[#lines + 1] = ""
  local plain = not ascii.lower(locale()):find "utf%-?8"
  for _, span in ipairs(report.histogram) do
    local label = right(time(span.from), 9) .. " - " .. right(time(span.to), 8)
    local beside = span.count > 0 and count(span.count) or ""
    lines[#lines + 1] = ("%s  %s %s"):format(label, paint("cyan", bar(span.count / most, width - 36, plain)), beside)
  end
end

--- Of a message its first line, not too long: what the handler's traceback says is a matter of logs.
---@param message string
---@return string
function text.first_line(message)
  local line = message:match "^(.-)\\n" or message
  return utf8.len(line) and utf8.len(line) > 160 and line:sub(1, 157) .. "…" or line
end

local function failures(lines, report, paint)
  if #report.errors > 0 then
    lines[#lines + 1] = ""
  end
  for _, sort in ipairs(report.errors) do
    local name = sort.status and ("%s %s"):format(sort.kind, sort.status) or sort.kind
    local ran = {}
    for _, executed in ipairs { "yes", "no", "unknown" } do
      if sort.executed[executed] then
        ran[#ran + 1] = ("%s %s"):format(executed, count(sort.executed[executed]))
      end
    end
    local line, painted = "  %s %s  %s%s", paint("red", left(name, 12))
    local whether = ran[1] and ("executed: %s  "):format(table.concat(ran, ", ")) or ""
    lines[#lines + 1] = line:format(right(count(sort.count), 9), painted, whether, text.first_line(sort.message))
  end
end

-- ---- The whole ----

--- The report as text.
---@param report table beamlua/load/report.lua
---@param width integer columns of the terminal
---@param paint fun(colour: string, text: string): string
---@return string
function text.of(report, width, paint)
  local lines = { paint("bold", text.title(report)), "" }
  summary(lines, report)
  latencies(lines, report)
  phases(lines, report)
  histogram(lines, report, math.min(math.max(width, 60), 110), paint)
  failures(lines, report, paint)
  lines[#lines + 1] = ""
  for _, remark in ipairs(text.remarks(report)) do
    lines[#lines + 1] = paint("grey", "  " .. remark)
  end
  if report.starts then
    lines[#lines + 1] = paint("grey", "  " .. report.starts.remark)
  end
  return table.concat(lines, "\n") .. "\n"
end

return text
