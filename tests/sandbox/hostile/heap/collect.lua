-- refused: a full collection
return {
  tick = function()
    collectgarbage()
  end,
}
