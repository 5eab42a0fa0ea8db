-- stopped: keys that fall into one chain only when their table grows to a certain size, behind a __newindex
local big = {}
local proxy = setmetatable({}, { __newindex = big })
local step = (1 << 15) - 1

return {
  tick = function()
    for i = 1, 1 << 16 do
      proxy[i * step] = true
    end
    while true do
    end
  end,
}
