-- stopped: the fourth value of a loop, closed when the loop is stopped
local closer = setmetatable({}, { __close = function() while true do end end })
return {
  tick = function()
    for _ in function() return 1 end, nil, nil, closer do while true do end end
  end,
}
