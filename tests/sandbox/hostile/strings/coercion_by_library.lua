-- stopped: a long string as a number, for math.floor and tonumber
return {
  tick = function()
    local digits = (" "):rep(8000000) .. "1"
    while true do
      local _ = math.floor(digits) + tonumber(digits)
    end
  end,
}
