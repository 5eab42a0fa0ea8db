-- stopped: a for loop over an endless iterator
return {
  tick = function()
    local n = 0
    for i in coroutine.wrap(function()
      for i = 1, math.huge do
        coroutine.yield(i)
      end
    end) do
      n = n + i
    end
  end,
}
