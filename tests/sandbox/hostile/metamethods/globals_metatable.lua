-- refused: globals become lax
return {
  tick = function()
    setmetatable(_G, nil)
  end,
}
