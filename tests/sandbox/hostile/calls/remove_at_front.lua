-- stopped: each removal moves everything
return {
  tick = function()
    local t = {}
    for i = 1, 100000 do t[i] = i end
    while true do t[#t + 1] = table.remove(t, 1) end
  end,
}
