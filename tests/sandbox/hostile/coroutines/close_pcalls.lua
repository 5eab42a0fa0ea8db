-- stopped: each __close is a pcall around an endless loop
return {
  tick = function()
    local function endless()
      while true do
      end
    end
    local stubborn = setmetatable({}, {
      __close = function()
        pcall(endless)
        pcall(endless)
      end,
    })
    local function deeper(depth)
      local _ <close> = stubborn
      local _ <close> = stubborn
      if depth > 0 then
        deeper(depth - 1)
      end
      endless()
    end
    pcall(deeper, 20000)
  end,
}
