-- stopped: each insertion into a full table counts all of it
return {
  tick = function()
    local t = {}
    for i = 1, 1 << 17 do
      t[i + 0.5] = true
    end
    local i = 1
    while true do
      t[i + 0.5] = nil
      t[-i - 0.25] = true
      i = i + 1
    end
  end,
}
