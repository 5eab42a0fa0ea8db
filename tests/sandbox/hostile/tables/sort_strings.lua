-- stopped: long strings that differ at their end are sorted
return {
  tick = function()
    local t, long = {}, ("x"):rep(50000)
    for i = 1, 200 do
      t[i] = long .. i
    end
    while true do
      table.sort(t)
      t[1], t[200] = t[200], t[1]
    end
  end,
}
