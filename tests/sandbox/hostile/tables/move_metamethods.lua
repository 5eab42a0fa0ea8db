-- stopped: table.move that runs into metamethods of the library
return {
  tick = function()
    local t = setmetatable({}, { __index = rawlen, __newindex = rawequal })
    pcall(table.move, t, 1, 1 << 60, 2)
    while true do
    end
  end,
}
