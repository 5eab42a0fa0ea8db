-- stopped: short items, long separators
return {
  tick = function()
    local t, long = {}, ("-"):rep(100000)
    for i = 1, 100 do t[i] = "" end
    while true do pcall(table.concat, t, long) end
  end,
}
