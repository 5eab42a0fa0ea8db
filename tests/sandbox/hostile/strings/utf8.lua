-- stopped: the length of a long text, again and again
return {
  tick = function()
    local text = ("ä"):rep(2000000)
    while true do
      local _ = utf8.len(text) + utf8.offset(text, -1)
    end
  end,
}
