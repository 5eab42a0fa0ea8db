-- stopped: a format of a million letters
return {
  tick = function()
    local f = ("x"):rep(1000000)
    while true do
      string.packsize(f)
    end
  end,
}
