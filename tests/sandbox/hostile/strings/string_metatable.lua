-- refused: the metatable of all strings is changed
return {
  tick = function()
    getmetatable("").__add = function() end
    assert(getmetatable("").__index)
  end,
}
