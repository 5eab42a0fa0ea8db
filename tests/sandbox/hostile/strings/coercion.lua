-- stopped: a long string as a number
return {
  tick = function()
    local digits = (" "):rep(8000000) .. "1"
    while true do
      local _ = digits + 0
    end
  end,
}
