-- stopped: all characters of a long text at once
return {
  tick = function()
    local s = ("ä"):rep(1000000)
    while true do
      pcall(utf8.codepoint, s, 1, -1)
      utf8.len(s)
    end
  end,
}
