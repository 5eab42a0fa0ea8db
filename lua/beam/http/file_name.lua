-- Names of files that come from a server: none may lead out of the folder that was chosen for them.
local file_name = {}

--- The last part of a name, without what a file system or a terminal would take for something else.
---@param name string
---@return string
function file_name.safe(name)
  local base = name:match "[^/\\]*$":gsub("[%z\1-\31\127]", "_")
  return base ~= "" and base ~= "." and base ~= ".." and base or "file"
end

--- Where a file goes: into the folder, if the path ends with "/", under its own name; else to that path.
---@param path string
---@param name string as the server has it
---@return string
function file_name.place(path, name)
  return path:sub(-1) == "/" and path .. file_name.safe(name) or path
end

return file_name
