-- stopped: logs without end
return {
  tick = function()
    while true do
      beam.log "x"
    end
  end,
}
