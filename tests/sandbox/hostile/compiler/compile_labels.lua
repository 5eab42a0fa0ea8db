-- stopped: gotos and labels without end
-- allow: load
return {
  tick = function()
    local parts = {}
    for i = 1, 30000 do
      parts[i] = "goto l" .. i .. " "
    end
    local text = table.concat(parts)
    while true do
      load(text)
    end
  end,
}
