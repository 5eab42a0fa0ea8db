-- stopped: a finalizer that never returns, if there are any
return {
  tick = function()
    pcall(setmetatable, {}, {
      __gc = function()
        while true do
        end
      end,
    })
    while true do
      local _ = {}
    end
  end,
}
