-- refused: a process is started
return {
  tick = function()
    assert(os.execute "true")
  end,
}
