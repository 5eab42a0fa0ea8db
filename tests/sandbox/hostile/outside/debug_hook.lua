-- refused: the hook is taken out
return {
  tick = function()
    debug.sethook()
  end,
}
