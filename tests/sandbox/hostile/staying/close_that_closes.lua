-- stopped: closing makes another that is to be closed
local function again()
  local _ <close> = setmetatable({}, { __close = again })
  while true do pcall(again) end
end
return { tick = again }
