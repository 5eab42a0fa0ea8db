-- stopped: a loop in each metamethod
return {
  tick = function()
    local function loop()
      while true do
      end
    end
    local t = setmetatable({}, { __add = loop, __eq = loop, __lt = loop, __concat = loop, __call = loop, __len = loop, __tostring = loop })
    local u = setmetatable({}, getmetatable(t))
    for _, try in ipairs {
      function()
        return t + 1
      end,
      function()
        return t == u
      end,
      function()
        return t < u
      end,
      function()
        return t .. ""
      end,
      function()
        return t()
      end,
      function()
        return #t
      end,
      function()
        return tostring(t)
      end,
    } do
      pcall(try)
    end
  end,
}
