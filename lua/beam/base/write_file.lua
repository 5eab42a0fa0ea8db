-- Files that are written whole. What a write has left in the buffer fails when the file is closed: on a full disk, say.

---@param path string
---@param text string
---@return true? done
---@return string? problem
return function(path, text)
  local file, problem = io.open(path, "wb")
  if not file then
    return nil, problem
  end
  local written, why = file:write(text)
  local closed, why_not = file:close()
  if written and closed then
    return true
  end
  return nil, why or why_not
end
