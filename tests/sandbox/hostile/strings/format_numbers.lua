-- stopped: string.format of many long numbers at once
local numbers = {}
for i = 1, 20000 do
  numbers[i] = 1e308
end
return {
  tick = function()
    string.format(("%.99f"):rep(20000), table.unpack(numbers))
    while true do
    end
  end,
}
