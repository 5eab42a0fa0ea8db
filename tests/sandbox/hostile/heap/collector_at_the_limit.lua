-- stopped: a heap that is nearly full, so that each allocation collects all of it
return {
  tick = function()
    local kept = {}
    for i = 1, 90000 do
      kept[i] = { i }
    end
    while true do
      local text = ("x"):rep(100000)
      kept[1] = text .. #text
    end
  end,
}
