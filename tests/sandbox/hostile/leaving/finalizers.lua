-- held: a finalizer that comes in after the metatable was set never runs
local ran = 0
local function count()
  ran = ran + 1
end
return {
  tick = function()
    for _ = 1, 20 do
      local meta = {}
      local t = setmetatable({}, meta)
      meta.__gc = count
      pcall(setmetatable, t, meta)
      pcall(setmetatable, {}, { __gc = count })
    end
    for _ = 1, 30 do
      local _ = ("x"):rep(100000)
    end
    assert(ran == 0, "a finalizer ran")
  end,
}
