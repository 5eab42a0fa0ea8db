-- The progress of a map as one line of a terminal, drawn over and over:
--
--   multiply  6120 of 10000  61 %  31 failed  812/s  5 s left
--
-- Where stderr is no terminal there is no line. NO_COLOR (no-color.org) and TERM=dumb are respected.
local core = require("beam.base.native").core()
local driver = require "beam.driver"

local Progress = {}
Progress.__index = Progress
Progress.__name = "beam.map.progress"

local progress = {}

local interval = 0.1 -- seconds between two drawings
local longest_name = 24 -- bytes: a line that wraps could not be drawn over
local start_of_line, rest_of_line = "\r", "\27[K"
local red, plain = "\27[31m", "\27[0m"

local function duration(seconds)
  seconds = math.ceil(seconds)
  if seconds < 60 then
    return seconds .. " s"
  elseif seconds < 3600 then
    return ("%d:%02d min"):format(math.floor(seconds / 60), seconds % 60)
  end
  return ("%d:%02d h"):format(math.floor(seconds / 3600), math.floor(seconds / 60) % 60)
end

local function failures(failed, colored)
  local text = failed .. " failed"
  return colored and red .. text .. plain or text
end

--- The line's text.
---@param name string
---@param figures { done: integer, total: integer?, failed: integer, elapsed: number }
---@param colored boolean
---@return string
function progress.text(name, figures, colored)
  local done, total, elapsed = figures.done, figures.total, figures.elapsed
  local rate = elapsed > 0 and done / elapsed or 0
  local parts = { name, total and ("%d of %d"):format(done, total) or tostring(done) }
  if total and total > 0 then
    parts[#parts + 1] = ("%d %%"):format(math.floor(100 * done / total))
  end
  if figures.failed > 0 then
    parts[#parts + 1] = failures(figures.failed, colored)
  end
  parts[#parts + 1] = (rate < 10 and "%.1f/s" or "%.0f/s"):format(rate)
  if total and done < total and rate > 0 then
    parts[#parts + 1] = duration((total - done) / rate) .. " left"
  end
  return table.concat(parts, "  ")
end

local function may_draw()
  return core.is_terminal(2) and os.getenv "TERM" ~= "dumb"
end

---@param name string what is called
---@param stream file*? in place of stderr; then it is drawn in any case
---@return beam.map.progress? nil: there is no terminal
function progress.new(name, stream)
  if not stream and not may_draw() then
    return nil
  end
  local color = os.getenv "NO_COLOR"
  name = name:gsub("[^ -~\128-\255]", "?"):sub(1, longest_name)
  return setmetatable({ name = name, stream = stream or io.stderr, colored = not color or color == "", drawn_at = -math.huge }, Progress)
end

--- Draws it, unless that was done a moment ago.
---@param figures table see progress.text
---@param at_end boolean? draw it in any case, and leave the line
function Progress:draw(figures, at_end)
  local now = driver.now()
  if not at_end and now - self.drawn_at < interval then
    return
  end
  self.drawn_at = now
  self.stream:write(start_of_line, progress.text(self.name, figures, self.colored), rest_of_line, at_end and "\n" or "")
  self.stream:flush()
end

return progress
