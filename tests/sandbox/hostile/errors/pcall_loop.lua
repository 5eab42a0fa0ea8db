-- stopped: each stop is caught by a pcall, in a loop
return {
  tick = function()
    while true do
      pcall(function()
        while true do
        end
      end)
    end
  end,
}
