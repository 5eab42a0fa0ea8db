-- stopped: two thousand tables behind one index
return {
  tick = function()
    local t = {}
    for _ = 1, 1990 do
      t = setmetatable({}, { __index = t })
    end
    while true do
      local _ = t.x
    end
  end,
}
