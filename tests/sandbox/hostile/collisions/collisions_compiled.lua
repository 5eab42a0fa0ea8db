-- stopped: constants that collide in the compiler's table
-- allow: load
return {
  tick = function()
    local parts = {}
    for i = 1, 30000 do
      parts[i] = i * ((1 << 15) - 1)
    end
    local text = "return {" .. table.concat(parts, ",") .. "}"
    while true do
      load(text)
    end
  end,
}
