-- stopped: a comparison of the library: no instruction of Lua runs
return {
  tick = function()
    local t = {}
    for i = 1, 200000 do
      t[i] = i % 1000
    end
    while true do
      pcall(table.sort, t, rawequal)
    end
  end,
}
