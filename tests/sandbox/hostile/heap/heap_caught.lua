-- stopped: what does not fit is caught, and tried again
return {
  tick = function()
    local kept = {}
    while true do
      pcall(function()
        while true do
          kept[#kept + 1] = ("x"):rep(1000) .. #kept
        end
      end)
    end
  end,
}
