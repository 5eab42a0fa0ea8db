-- stopped: os.date with a format of megabytes
return {
  tick = function()
    local format = ("%c"):rep(100)
    while true do
      pcall(os.date, format)
    end
  end,
}
