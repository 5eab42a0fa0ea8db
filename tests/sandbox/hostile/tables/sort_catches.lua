-- stopped: a comparison that catches the stop
return {
  tick = function()
    local t = {}
    for i = 1, 1000 do
      t[i] = i
    end
    table.sort(t, function(a, b)
      pcall(function()
        while true do
        end
      end)
      return a < b
    end)
  end,
}
