-- stopped: a text of millions of digits is made a number by each addition
return {
  tick = function()
    local s, x = ("1"):rep(1 << 22), 0
    while true do
      x = s + 1
    end
  end,
}
