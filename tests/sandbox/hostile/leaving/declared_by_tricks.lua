-- held: globals stay strict whatever is done to their metatable
return {
  tick = function()
    assert(not pcall(function() _ENV.undeclared = 1 end))
    assert(not pcall(function() return _ENV.undeclared end))
    local meta = getmetatable(_G)
    if type(meta) == "table" then
      meta.__index, meta.__newindex = nil, nil
    end
    pcall(setmetatable, _G, nil)
  end,
}
