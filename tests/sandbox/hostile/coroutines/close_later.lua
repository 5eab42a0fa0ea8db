-- stopped: a coroutine that was stopped in one call is closed in the next
local kept

return {
  tick = function()
    if kept then
      coroutine.close(kept)
    end
    kept = coroutine.create(function()
      local _ <close> = setmetatable({}, {
        __close = function()
          while true do
          end
        end,
      })
      while true do
      end
    end)
    coroutine.resume(kept)
  end,
}
