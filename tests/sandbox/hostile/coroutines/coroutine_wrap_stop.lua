-- stopped: the stop of a wrapped coroutine is caught outside of it
return {
  tick = function()
    while true do
      pcall(coroutine.wrap(function()
        while true do
        end
      end))
    end
  end,
}
