-- stopped: without pcall, error and metatables of the globals
local globals, set, names = _G, rawset, {}
for name in next, globals do
  names[#names + 1] = name
end
return {
  tick = function()
    for i = 1, #names do
      set(globals, names[i], nil)
    end
    while true do
    end
  end,
}
