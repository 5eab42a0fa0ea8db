-- contained: tables that hold the next one twice, raised
return {
  tick = function()
    local t = {} for _ = 1, 30 do t = { t, t, print } end error(t)
  end,
}
