-- stopped: the longest that a format gives for a letter
return {
  tick = function()
    local f = ("%99.99f"):rep(1000)
    while true do
      pcall(string.format, f, 1e308)
      pcall(string.format, ("%q"):rep(5), ("\0"):rep(1 << 20))
    end
  end,
}
