-- stopped: table.concat of a table that says it is endless
return {
  tick = function()
    local t = setmetatable({}, {
      __len = function()
        return 1 << 60
      end,
      __index = function()
        return ""
      end,
    })
    pcall(table.concat, t)
    while true do
    end
  end,
}
