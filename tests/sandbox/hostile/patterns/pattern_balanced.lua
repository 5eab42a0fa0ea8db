-- stopped: %b that goes to the end from each place
return {
  tick = function()
    local text = ("("):rep(1000000)
    while true do
      text:find "%b()"
    end
  end,
}
