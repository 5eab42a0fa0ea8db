-- refused: a process is started for its output
return {
  tick = function()
    assert(io.popen "true"):close()
  end,
}
