-- stopped: table.unpack of all it may
return {
  tick = function()
    local t = {}
    while true do
      pcall(table.unpack, t, 1, 900000)
      pcall(table.unpack, t, 1, 1 << 62)
    end
  end,
}
