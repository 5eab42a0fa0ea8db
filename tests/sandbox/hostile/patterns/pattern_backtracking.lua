-- stopped: a pattern of many choices
return {
  tick = function()
    local text = ("a"):rep(100)
    while true do
      text:find(("a-"):rep(30) .. "b")
    end
  end,
}
