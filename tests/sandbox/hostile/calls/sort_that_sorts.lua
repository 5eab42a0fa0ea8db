-- stopped: a comparison that sorts the same table
return {
  tick = function()
    local t = { 3, 2, 1, 5, 4 }
    local function less(a, b) pcall(table.sort, t, less) return a < b end
    while true do pcall(table.sort, t, less) end
  end,
}
