-- A traceback as the script's author wants it: the frames of the script, none of ours and none of C.
local traceback = {}

-- A frame of a baked module: "\tbeam/call.lua:12: in function …", where the program has a module beam.call.
local function is_ours(host, line)
  local path = line:match "^\t([0-9A-Za-z_/]+)%.lua:%d+: in"
  if not path then
    return false
  end
  local name = path:gsub("/", "."):gsub("%.init$", "")
  return host.has_module(name)
end

---@param host table has_module(name)
---@param text string what debug.traceback gave
---@return string? text nil if no frame is left
function traceback.clean(host, text)
  local kept, frames = {}, 0
  for line in text:gmatch "[^\n]+" do
    local called_by_us = line == "\t(...tail calls...)" and (kept[#kept] or ""):find "in main chunk$"
    if not (line:find "^\t%[C%]: in" or called_by_us or is_ours(host, line)) then
      kept[#kept + 1] = line
      frames = frames + (line:find "^\t.*: in" and 1 or 0)
    end
  end
  return frames > 0 and table.concat(kept, "\n") or nil
end

return traceback
