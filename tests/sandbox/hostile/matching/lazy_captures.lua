-- stopped: captures that give back little by little
return {
  tick = function()
    return (("a"):rep(3000)):gsub("(.-)(.-)(.-)(.-)%1%2%3%4b", "%4")
  end,
}
