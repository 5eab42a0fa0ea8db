-- stopped: a format of a million letters over nothing
return {
  tick = function()
    local f = ("!16 Xi16 "):rep(100000)
    while true do
      pcall(string.unpack, f, "")
    end
  end,
}
