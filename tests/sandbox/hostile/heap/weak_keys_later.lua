-- contained: the same, by a __mode that is set when the table is full (a later call may be told of what this one left)
return {
  tick = function()
    local mt = {}
    local weak, keys, count = setmetatable({}, mt), {}, 60000
    for i = 1, count do
      keys[i] = {}
    end
    for i = count, 2, -1 do
      local j = math.random(i)
      keys[i], keys[j] = keys[j], keys[i]
    end
    local first = keys[1]
    for i = 1, count - 1 do
      weak[keys[i]] = keys[i + 1]
    end
    keys = nil
    while true do
      rawset(mt, "__mo" .. "de", "k")
      pcall(function()
        local text = "x"
        for _ = 1, 18 do
          text = text .. text
        end
        first.garbage = text
      end)
    end
  end,
}
