-- stopped: the border of a table full of holes
return {
  tick = function()
    local t = {}
    for i = 1, 200000 do t[i] = i end
    for i = 2, 200000, 2 do t[i] = nil end
    local n = 0
    while true do n = n + #t t[#t + 1] = nil end
  end,
}
