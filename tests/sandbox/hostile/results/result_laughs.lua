-- contained: a result that is a table of itself, many times over
return {
  tick = function()
    local t = { 1 }
    for _ = 1, 40 do
      t = { t, t, t }
    end
    return t
  end,
}
