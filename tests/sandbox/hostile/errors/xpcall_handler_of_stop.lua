-- stopped: the message handler of the stop itself goes on
return {
  tick = function()
    while true do
      xpcall(function()
        while true do
        end
      end, function()
        while true do
        end
      end)
    end
  end,
}
