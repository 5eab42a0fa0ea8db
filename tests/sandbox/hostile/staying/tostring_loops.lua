-- stopped: what is raised cannot be told in words
local slow = setmetatable({}, { __tostring = function() while true do end end, __name = ("n"):rep(100000) })
return {
  tick = function()
    print(slow) error(slow)
  end,
}
