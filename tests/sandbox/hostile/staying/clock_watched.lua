-- stopped: a script that looks at the clock, so as to end just before, and does not
return {
  tick = function()
    local start = os.clock()
    while os.clock() - start < 10 do local _ = os.time() end
  end,
}
