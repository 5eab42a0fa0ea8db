-- stopped: numbers with millions of digits
return {
  tick = function()
    local s = ("1"):rep(1 << 22)
    while true do
      tonumber(s)
      tonumber(s, 36)
      math.tointeger(s)
    end
  end,
}
