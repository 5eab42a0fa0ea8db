-- stopped: errors raised while the stack is full (CVE-2022-33099 in Lua 5.4.4)
return {
  tick = function()
    local function lunge()
      xpcall(lunge, function()
        local x = nil + 1
        return x
      end)
      lunge()
    end
    while true do
      pcall(lunge)
    end
  end,
}
