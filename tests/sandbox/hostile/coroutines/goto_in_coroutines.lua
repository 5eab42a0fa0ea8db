-- stopped: goto loops in one coroutine after the other
return {
  tick = function()
    while true do
      coroutine.resume(coroutine.create(function()
        ::again::
        goto again
      end))
    end
  end,
}
