-- refused: a shared library is loaded
return {
  tick = function()
    assert(package.loadlib)("libc.so.6", "*")
  end,
}
