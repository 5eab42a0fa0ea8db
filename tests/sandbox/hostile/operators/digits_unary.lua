-- stopped: a text of millions of blanks and a digit is made a number by signs, powers and remainders
return {
  tick = function()
    local s, x = (" "):rep(1 << 22) .. "7", 0
    while true do
      x = -s
      x = s ^ 2 + s % 3 + s // 2 - x
    end
  end,
}
