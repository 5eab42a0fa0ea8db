-- refused: bytecode is made
return {
  tick = function()
    string.dump(function() end)
  end,
}
