-- stopped: a plain search through a text that nearly matches everywhere
return {
  tick = function()
    local text = ("a"):rep(3000000)
    local part = ("a"):rep(1500000) .. "b"
    while true do
      text:find(part, 1, true)
    end
  end,
}
