-- Where a person looks on: colours, and the width of a line. Neither colours nor progress go into files and pipes, nor where NO_COLOR is
-- set (https://no-color.org) or TERM is dumb.
local terminal = {}

local codes = { red = "31", green = "32", yellow = "33", blue = "34", magenta = "35", cyan = "36", grey = "90", bold = "1" }

local host

--- To be called once, before the rest.
---@param of_beamlua table has is_terminal(fd) and columns(fd)
function terminal.setup(of_beamlua)
  host = of_beamlua
end

---@param fd integer
---@return boolean
function terminal.is(fd)
  return host.is_terminal(fd)
end

local function has_colours(fd)
  local off = os.getenv "NO_COLOR"
  return host.is_terminal(fd) and (not off or off == "") and os.getenv "TERM" ~= "dumb"
end

---@param fd integer
---@return fun(colour: string, text: string): string paint gives the text as it is where there are no colours
function terminal.painter(fd)
  if not has_colours(fd) then
    return function(_, text)
      return text
    end
  end
  return function(colour, text)
    return ("\27[%sm%s\27[0m"):format(codes[colour], text)
  end
end

---@param fd integer
---@return integer columns 80 where it is not known
function terminal.columns(fd)
  return host.columns(fd) or 80
end

---@param fd integer
---@return integer? rows nil where it is not known
function terminal.rows(fd)
  return host.rows(fd)
end

return terminal
