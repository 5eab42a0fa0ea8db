-- stopped: pcall of pcall of pcall
return {
  tick = function()
    local function loop()
      while true do
      end
    end
    while true do
      pcall(pcall, pcall, pcall, pcall, pcall, loop)
    end
  end,
}
