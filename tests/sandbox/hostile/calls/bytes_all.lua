-- stopped: all bytes of a long text at once
return {
  tick = function()
    local s = ("x"):rep(1 << 22)
    while true do
      pcall(string.byte, s, 1, -1)
      pcall(string.byte, s, 1, 150000)
    end
  end,
}
