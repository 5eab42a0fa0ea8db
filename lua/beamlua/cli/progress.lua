-- How far a transfer is, on a line of stderr that is written over; nothing where no person looks on.
local terminal = require "beamlua.cli.terminal"

local progress = {}

local least_pause = 0.2 -- seconds between two looks of the same line

local function megabytes(bytes)
  return ("%.1f MB"):format(bytes / 1e6)
end

--- A function for the option `progress`; nil: nobody looks on.
---@return (fun(bytes: integer, total: integer?))?
function progress.reporter()
  local last = 0
  return terminal.is(2)
      and function(bytes, total)
        local now = require("beam.driver").now()
        if now - last >= least_pause or bytes == total then
          last = now
          local share = total and total > 0 and (" of %s, %d %%"):format(megabytes(total), 100 * bytes / total) or ""
          io.stderr:write("\r", megabytes(bytes), share, "\27[K")
        end
      end
    or nil
end

--- It is over, in whatever way: the line is gone.
function progress.done()
  if terminal.is(2) then
    io.stderr:write "\r\27[K"
  end
end

return progress
