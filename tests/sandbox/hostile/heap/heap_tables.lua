-- stopped: tables without end
return {
  tick = function()
    local kept = {}
    while true do
      kept = { kept }
    end
  end,
}
