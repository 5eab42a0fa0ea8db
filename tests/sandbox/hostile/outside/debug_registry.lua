-- refused: the registry is read
return {
  tick = function()
    assert(debug.getregistry())
  end,
}
