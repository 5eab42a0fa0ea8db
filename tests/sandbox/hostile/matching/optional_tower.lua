-- stopped: thirty letters that may be there, thirty that must
return {
  tick = function()
    return (("a"):rep(30)):find(("a?"):rep(30) .. ("a"):rep(31))
  end,
}
