-- stopped: strings that double
return {
  tick = function()
    local text = "x"
    while true do
      text = text .. text
    end
  end,
}
