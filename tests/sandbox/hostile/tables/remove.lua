-- refused: a file is removed
return {
  tick = function()
    os.remove "/tmp/beam-hostile-none"
  end,
}
