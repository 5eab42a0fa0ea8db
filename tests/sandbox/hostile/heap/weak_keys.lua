-- contained: a chain through weak keys: one step of the collector takes minutes
return {
  tick = function()
    local weak, keys, count = setmetatable({}, { __mode = "k" }), {}, 60000
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
      first.garbage = { first }
    end
  end,
}
