-- stopped: message handlers that fail, and theirs
return {
  tick = function()
    local function handler()
      xpcall(error, handler)
      error "again"
    end
    while true do
      xpcall(error, handler)
    end
  end,
}
