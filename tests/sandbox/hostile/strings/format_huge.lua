-- stopped: string.format of long strings
return {
  tick = function()
    local big = ("x"):rep(1 << 20)
    while true do
      pcall(string.format, ("%s%q"):rep(100), table.unpack(setmetatable({}, { __index = { big } }), 1, 1))
      pcall(string.format, "%q%q%q%q%q%q%q%q%q%q", big, big, big, big, big, big, big, big, big, big)
    end
  end,
}
