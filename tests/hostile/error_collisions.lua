-- contained: an error object whose keys collide in a copy of it
local step, count = (1 << 16) - 1, 1 << 16
local chosen = {}
for i = 1, count + 10 do
  chosen[-3 * i] = true
end
for i = 1, count + 10 do
  chosen[-3 * i] = nil
end
for i = 1, count // 2 + 10 do
  chosen[i * step] = true
end

return {
  tick = function()
    error(chosen)
  end,
}
