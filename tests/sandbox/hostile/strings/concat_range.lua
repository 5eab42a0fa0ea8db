-- stopped: table.concat over a range without end
return {
  tick = function()
    local t = setmetatable({}, { __index = type })
    pcall(table.concat, t, "", 1, 1 << 60)
    while true do
    end
  end,
}
