-- stopped: coroutines in coroutines until the C stack ends
return {
  tick = function()
    local function deeper()
      return coroutine.wrap(deeper)()
    end
    while true do
      pcall(deeper)
    end
  end,
}
