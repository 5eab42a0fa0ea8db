-- stopped: gsub whose function catches the stop
return {
  tick = function()
    local text = ("a"):rep(1000000)
    while true do
      pcall(string.gsub, text, ".", function()
        pcall(function()
          while true do
          end
        end)
      end)
    end
  end,
}
