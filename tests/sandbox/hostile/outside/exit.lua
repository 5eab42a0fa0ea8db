-- refused: the process is ended
return {
  tick = function()
    os.exit(0)
  end,
}
