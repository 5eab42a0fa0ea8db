-- stopped: an empty table's items, moved by the number
return {
  tick = function()
    table.move({}, 1, 1 << 60, 2)
  end,
}
