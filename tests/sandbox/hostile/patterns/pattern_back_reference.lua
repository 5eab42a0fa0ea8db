-- stopped: captures that are compared again and again
return {
  tick = function()
    local text = ("a"):rep(20000) .. "b"
    while true do
      text:find "(.-)%1%1%1c"
    end
  end,
}
