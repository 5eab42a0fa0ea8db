-- contained: what is raised loops when it is looked at from outside
local function loop()
  while true do
  end
end
return {
  tick = function()
    error(setmetatable({}, { __tostring = loop, __index = loop, __pairs = loop }))
  end,
}
