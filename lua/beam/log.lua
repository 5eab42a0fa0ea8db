-- Where the lines go that nobody asked for: one sink per process, as there is one loop per process.
--
-- Without a sink, errors and warnings go to stderr and the rest nowhere. A line never holds a credential.
local secrets = require "beam.settings.secrets"
local visible = require "beam.base.visible"

local log = {}

log.levels = { error = 0, warning = 1, info = 2, debug = 3 }

local sink

local function to_stderr(level, line)
  if log.levels[level] <= log.levels.warning then
    io.stderr:write("beam: ", level, ": ", line, "\n")
  end
end

--- Sends all lines to `write` from now on; nil: back to stderr.
---@param write fun(level: "error"|"warning"|"info"|"debug", line: string)?
function log.to(write)
  sink = write
end

---@param level "error"|"warning"|"info"|"debug"
---@param line string
function log.write(level, line)
  line = visible.lines(secrets.hide(line))
  if not (sink and pcall(sink, level, line)) then -- a sink that fails must not take down what it only reports on
    to_stderr(level, line)
  end
end

return log
