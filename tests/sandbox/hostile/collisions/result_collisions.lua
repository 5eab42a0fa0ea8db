-- contained: a result, then an error object, whose keys collide in a copy of it, and nowhere else: the table itself has twice the size
local step, count = (1 << 16) - 1, 1 << 16
local chosen, calls = {}, 0
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
    calls = calls + 1
    if calls == 2 then
      error(chosen)
    end
    return { chosen }
  end,
}
