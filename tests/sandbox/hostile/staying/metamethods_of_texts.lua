-- stopped: the texts' own metatable is changed: each method is a loop
return {
  tick = function()
    local meta = getmetatable("")
    if meta then
      pcall(rawset, meta, "__index", function() while true do end end)
      pcall(function() meta.__add = function() while true do end end end)
    end
    while true do pcall(function() return ("x"):upper() + 1 end) end
  end,
}
