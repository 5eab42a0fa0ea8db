-- stopped: next goes through a large table that was emptied
return {
  tick = function()
    local t = {}
    for i = 1, 300000 do
      t[i] = i
    end
    for i = 1, 300000 do
      t[i] = nil
    end
    while true do
      local _ = next(t)
    end
  end,
}
