-- refused: a module is loaded
return {
  tick = function()
    assert(require "string")
  end,
}
