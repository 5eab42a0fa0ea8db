-- stopped: gsub puts a megabyte in place of each character
return {
  tick = function()
    local big = ("x"):rep(1 << 20)
    while true do
      pcall(string.gsub, big, ".", big)
    end
  end,
}
