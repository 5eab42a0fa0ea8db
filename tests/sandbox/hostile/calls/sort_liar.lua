-- stopped: a comparison that never agrees with itself
return {
  tick = function()
    local t = {}
    for i = 1, 50000 do t[i] = i end
    while true do pcall(table.sort, t, function() return true end) end
  end,
}
