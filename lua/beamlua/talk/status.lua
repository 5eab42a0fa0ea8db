-- A line at the bottom of the terminal that stays there while others scroll above it: the terminal's scrolling region ends before it
-- (DECSTBM). What is typed and printed knows nothing of it.
local terminal = require "beamlua.cli.terminal"

local Status = {}
Status.__index = Status

local status = {}

local save, restore = "\0277", "\0278"

local function write(...)
  io.stdout:write(...)
  io.stdout:flush()
end

-- The last line becomes free: what stands there scrolls up.
local function reserve(self, rows)
  self.rows = rows
  write("\n\27[1A", save, ("\27[1;%dr"):format(rows - 1), restore)
end

--- Shows the text; the first time it takes its place, and after the window has changed, another one.
---@param text string one line, plain
function Status:show(text)
  local rows = terminal.rows(1)
  if not rows or rows < 4 then
    return
  elseif rows ~= self.rows then
    reserve(self, rows)
  end
  text = text:sub(1, terminal.columns(1))
  write(save, ("\27[%d;1H\27[7m"):format(rows), text, "\27[K\27[0m", restore)
end

--- The whole terminal scrolls again.
function Status:close()
  if self.rows then
    write(save, "\27[r", ("\27[%d;1H\27[K"):format(self.rows), restore)
    self.rows = nil
  end
end

---@return table
function status.new()
  return setmetatable({ rows = nil }, Status)
end

return status
