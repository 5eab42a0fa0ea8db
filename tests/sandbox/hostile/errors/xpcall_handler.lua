-- stopped: a message handler that never returns
return {
  tick = function()
    xpcall(error, function()
      while true do
      end
    end)
  end,
}
