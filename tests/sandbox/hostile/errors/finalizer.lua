-- refused: a finalizer, in which no hook runs
return {
  tick = function()
    setmetatable({}, {
      __gc = function()
        return 1
      end,
    })
  end,
}
