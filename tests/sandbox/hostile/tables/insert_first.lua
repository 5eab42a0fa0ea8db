-- stopped: table.insert at the front of a long list
return {
  tick = function()
    local t = {}
    for i = 1, 300000 do
      t[i] = i
    end
    while true do
      table.insert(t, 1, table.remove(t, 1))
    end
  end,
}
