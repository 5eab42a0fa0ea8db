-- stopped: a hundred long texts joined by one instruction
return {
  tick = function()
    local a = ("a"):rep(60000)
    while true do
      local b = a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a .. a
      b = b .. a .. b
    end
  end,
}
