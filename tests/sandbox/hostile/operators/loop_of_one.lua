-- stopped: a loop with nothing in it, in a coroutine in a coroutine
return {
  tick = function()
    coroutine.wrap(function() coroutine.wrap(function() ::again:: goto again end)() end)()
  end,
}
