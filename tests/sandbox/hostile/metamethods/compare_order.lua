-- stopped: long strings that differ at their end
return {
  tick = function()
    local a, b = ("x"):rep(3000000) .. "y", ("x"):rep(3000000) .. "z"
    while true do
      local _ = a < b
    end
  end,
}
