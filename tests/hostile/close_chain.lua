-- stopped: coroutines that close each other: the C stack of Lua 5.4.4 does not count that
return {
  tick = function()
    local threads = {}
    for i = 1, 20000 do
      threads[i] = coroutine.create(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            coroutine.close(threads[i + 1])
          end,
        })
        coroutine.yield()
      end)
      coroutine.resume(threads[i])
    end
    coroutine.close(threads[1])
    while true do
    end
  end,
}
