-- stopped: the first item of a table that was large once is looked for in vain
return {
  tick = function()
    local t = {}
    for i = 1, 200000 do t["k" .. i % 65536] = i end
    for k in pairs(t) do t[k] = nil end
    while true do next(t) end
  end,
}
