-- stopped: table.concat of one long string many times
return {
  tick = function()
    local parts, big = {}, ("x"):rep(1 << 20)
    for i = 1, 1000 do
      parts[i] = big
    end
    while true do
      pcall(table.concat, parts)
    end
  end,
}
