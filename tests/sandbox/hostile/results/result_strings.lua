-- contained: a result with one long string ten thousand times
return {
  tick = function()
    local t, long = {}, ("x"):rep(1 << 20)
    for i = 1, 10000 do
      t[i] = long
    end
    return t
  end,
}
