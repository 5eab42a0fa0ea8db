-- stopped: select of hundreds of thousands of arguments
return {
  tick = function()
    local list = {}
    for i = 1, 200000 do
      list[i] = i
    end
    local function again(...)
      while true do
        select(2, ...)
      end
    end
    again(table.unpack(list))
  end,
}
