-- refused: text is compiled
return {
  tick = function()
    assert(load "return 1")()
  end,
}
