-- stopped: a loop over numbers that never reaches its end
return {
  tick = function()
    for x = 1, math.huge, 0.5 do local _ = x end
  end,
}
