-- stopped: every character is found from the front
return {
  tick = function()
    local s = ("ä"):rep(1000000)
    while true do
      utf8.offset(s, 999999)
      utf8.offset(s, -999999)
    end
  end,
}
