-- refused: a global that is none
return {
  tick = function()
    return undeclared_too == nil -- luacheck: ignore
  end,
}
