-- stopped: coroutines that are kept
return {
  tick = function()
    local all = {}
    while true do
      all[#all + 1] = coroutine.create(print)
    end
  end,
}
