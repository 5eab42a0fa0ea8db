-- stopped: coroutines that close each other: Lua 5.4.4 does not count the C stack that takes
local threads = {}
for i = 1, 12000 do
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

return {
  tick = function()
    pcall(coroutine.close, threads[1])
    while true do
    end
  end,
}
