-- stopped: the widest answers that a date can give
return {
  tick = function()
    while true do
      pcall(os.date, ("%c"):rep(400))
      pcall(os.time, { year = 1 << 40, month = 1 << 40, day = 1 })
    end
  end,
}
