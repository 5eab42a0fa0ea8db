-- stopped: an array without end
return {
  tick = function()
    local kept, i = {}, 0
    while true do
      i = i + 1
      kept[i] = i
    end
  end,
}
