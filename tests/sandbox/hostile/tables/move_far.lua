-- stopped: table.move over a range without end
return {
  tick = function()
    table.move({}, 1, 1 << 60, 2)
  end,
}
