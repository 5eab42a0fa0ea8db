-- stopped: floats that differ only where the hash does not look
local t = {}

return {
  tick = function()
    for i = 1, 1 << 20 do
      t[1 + i * 2.0 ^ -52] = true
    end
    while true do
    end
  end,
}
