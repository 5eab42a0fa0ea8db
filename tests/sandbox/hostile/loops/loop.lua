-- stopped: an endless loop
return {
  tick = function()
    while true do
    end
  end,
}
