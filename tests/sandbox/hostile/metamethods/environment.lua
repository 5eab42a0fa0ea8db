-- refused: the environment is read
return {
  tick = function()
    assert(os.getenv "PATH")
  end,
}
