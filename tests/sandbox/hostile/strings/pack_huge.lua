-- stopped: string.pack pads to a length
return {
  tick = function()
    while true do
      pcall(string.pack, "c9000000 c9000000", "", "")
    end
  end,
}
