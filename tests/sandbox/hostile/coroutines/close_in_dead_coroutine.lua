-- stopped: a coroutine that was stopped is closed, and its __close never returns
return {
  tick = function()
    while true do
      local thread = coroutine.create(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            while true do
            end
          end,
        })
        while true do
        end
      end)
      coroutine.resume(thread)
      coroutine.close(thread)
    end
  end,
}
