-- stopped: a? many times
return {
  tick = function()
    local text = ("a"):rep(28)
    while true do
      text:match(("a?"):rep(28) .. ("a"):rep(28) .. "b")
    end
  end,
}
