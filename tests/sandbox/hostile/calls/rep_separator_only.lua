-- stopped: nothing, joined by little: memory at once, or time
return {
  tick = function()
    for _ = 1, 1e9 do pcall(string.rep, "", 1 << 40, ",") end
  end,
}
