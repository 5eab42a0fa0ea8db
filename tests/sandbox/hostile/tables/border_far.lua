-- stopped: a table whose length is not what it holds
return {
  tick = function()
    local t = {}
    for i = 0, 60 do
      t[1 << i] = true
    end
    while true do
      pcall(table.insert, t, 1, 1)
      pcall(table.remove, t, 1)
      pcall(table.concat, t)
      pcall(table.sort, t)
    end
  end,
}
