-- refused: a global by mistake
return {
  tick = function()
    undeclared = 1 -- luacheck: ignore
    undeclared = nil -- luacheck: ignore
  end,
}
