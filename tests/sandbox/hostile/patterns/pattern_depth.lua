-- stopped: captures and repetitions too deep for the C stack
return {
  tick = function()
    for _, pattern in ipairs { ("("):rep(100000), ("a?"):rep(100000), ("(a"):rep(31) .. (")"):rep(31) .. ("%1"):rep(100000) } do
      pcall(string.find, ("a"):rep(200000), pattern)
    end
    while pcall(string.find, ("a"):rep(1000), ("a-"):rep(500) .. "b") do
    end
    while true do
    end
  end,
}
