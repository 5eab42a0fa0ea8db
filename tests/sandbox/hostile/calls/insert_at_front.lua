-- stopped: each insertion moves everything
return {
  tick = function()
    local t = {}
    while true do
      table.insert(t, 1, 0) table.insert(t, 1, 0)
    end
  end,
}
