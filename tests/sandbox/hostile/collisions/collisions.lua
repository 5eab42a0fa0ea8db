-- stopped: keys that all fall into one chain of a table
return {
  tick = function()
    local t, step = {}, ((1 << 16) - 1) * ((1 << 15) - 1) * ((1 << 14) - 1)
    local i = 0
    while true do
      i = i + 1
      t[i * step] = true
      t[i * step + step * 4096] = nil
    end
  end,
}
