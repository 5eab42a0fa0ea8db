-- stopped: calls that copy hundreds of thousands of arguments
return {
  tick = function()
    local list = {}
    for i = 1, 200000 do
      list[i] = i
    end
    local function pass(...)
      return ...
    end
    local function again(...)
      while true do
        pass(...)
      end
    end
    again(table.unpack(list))
  end,
}
