-- contained: a result that contains itself
return {
  tick = function()
    local t = {}
    t.t = t
    return t
  end,
}
