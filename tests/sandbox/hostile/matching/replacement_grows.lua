-- stopped: what was found, a thousand times for each time
return {
  tick = function()
    local s = ("x"):rep(1 << 20)
    while true do
      pcall(string.gsub, s, "^.*$", ("%0"):rep(1000))
    end
  end,
}
