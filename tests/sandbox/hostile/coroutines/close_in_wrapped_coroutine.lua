-- stopped: wrap closes a coroutine that was stopped
return {
  tick = function()
    local slow = setmetatable({}, {
      __close = function()
        while true do
        end
      end,
    })
    while true do
      pcall(coroutine.wrap(function()
        local _ <close> = slow
        while true do
        end
      end))
    end
  end,
}
