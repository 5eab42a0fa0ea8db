-- stopped: a handler that needs a handler
local function handler() return select(2, xpcall(error, handler)) end
return {
  tick = function()
    while true do
      xpcall(handler, handler)
    end
  end,
}
