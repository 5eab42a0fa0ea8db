-- stopped: names that are sought in sixty functions of two hundred variables each
-- allow: load
return {
  tick = function()
    local parts = {}
    for depth = 1, 60 do
      local names = {}
      for i = 1, 190 do
        names[i] = "v" .. depth .. "_" .. i
      end
      parts[#parts + 1] = "local " .. table.concat(names, ",") .. " return function() "
    end
    local head, tail = table.concat(parts), (" end"):rep(60)
    while true do
      load(head .. ("z=z;"):rep(100000) .. tail)
    end
  end,
}
