-- stopped: long strings that are equal but not the same
return {
  tick = function()
    local a, b = ("x"):rep(4000000) .. "y", ("x"):rep(4000000) .. "y"
    while true do
      local _ = a == b
    end
  end,
}
