-- stopped: string.rep of nothing with a separator
return {
  tick = function()
    while true do
      pcall(string.rep, "", 1 << 29, "ab")
    end
  end,
}
