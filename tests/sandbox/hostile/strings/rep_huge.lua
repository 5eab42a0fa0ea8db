-- stopped: string.rep to more than there is
return {
  tick = function()
    while true do
      pcall(string.rep, "x", 1 << 30)
    end
  end,
}
