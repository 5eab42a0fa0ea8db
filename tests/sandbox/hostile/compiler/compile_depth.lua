-- stopped: expressions nested too deep for the C stack
-- allow: load
return {
  tick = function()
    while true do
      load("return " .. ("("):rep(1000000))
      load(("do "):rep(1000000))
      load("return " .. ("{"):rep(1000000))
      load("return " .. ("-"):rep(1000000) .. "1")
      load("x = " .. ("a."):rep(300000) .. "a")
    end
  end,
}
