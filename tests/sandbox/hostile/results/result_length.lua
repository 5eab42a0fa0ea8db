-- contained: a result that says it is endless
return {
  tick = function()
    local t = setmetatable({}, {
      __len = function()
        return 1 << 60
      end,
      __pairs = function()
        return function()
          return 1, 1
        end
      end,
    })
    for i = 0, 60 do
      t[1 << i] = true
    end
    return t
  end,
}
