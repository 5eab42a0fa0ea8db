-- stopped: a stack overflow is caught, and made again
return {
  tick = function()
    local function deeper()
      return 1 + deeper()
    end
    while true do
      pcall(deeper)
    end
  end,
}
