-- stopped: so many variables to be closed that each going on a little is long
return {
  tick = function()
    local stubborn = setmetatable({}, {
      __close = function()
        for _ = 1, 1e5 do
        end
      end,
    })
    local function deeper(depth)
      local _ <close> = stubborn
      local _ <close> = stubborn
      local _ <close> = stubborn
      if depth > 0 then
        deeper(depth - 1)
      end
      while true do
      end
    end
    deeper(150)
  end,
}
