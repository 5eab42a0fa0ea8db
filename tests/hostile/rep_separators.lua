-- stopped: string.rep of nothing with a separator
return {
  tick = function()
    while true do
      pcall(string.rep, "", 1 << 33, "ab")
    end
  end,
}
