-- A line at the end of a file, which is there when this returns: what is told of a call outlives whatever ends the process.

--- Raises where it cannot be written.
---@param file file*
---@param path string of it, for the error
---@param text string
return function(file, path, text)
  local written, problem = file:write(text, "\n")
  local flushed, why = file:flush()
  if not (written and flushed) then
    error(("%s cannot be written: %s"):format(path, problem or why), 0)
  end
end
