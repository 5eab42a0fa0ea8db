-- stopped: long strings as keys
return {
  tick = function()
    local t = {}
    t[("x"):rep(4000000) .. "y"] = 1
    while true do
      local _ = t[("x"):rep(4000000) .. "y"]
    end
  end,
}
