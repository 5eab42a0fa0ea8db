-- stopped: borders and sets of thousands of letters at each place
return {
  tick = function()
    local set = "[^" .. ("%w%s"):rep(5000) .. "]"
    return (("a"):rep(100000)):find("%f" .. set .. set)
  end,
}
