-- stopped: string.pack pads to a length that fits, again and again
return {
  tick = function()
    while true do
      local _ = #string.pack("c6000000", "")
    end
  end,
}
