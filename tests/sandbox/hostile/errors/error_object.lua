-- contained: an error object whose __tostring never returns
return {
  tick = function()
    error(setmetatable({}, {
      __tostring = function()
        while true do
        end
      end,
      __name = ("x"):rep(1000000),
    }))
  end,
}
