-- stopped: a bracket that is never closed, looked for from each of half a million
return {
  tick = function()
    return (("("):rep(500000)):find("%b()")
  end,
}
