-- stopped: tables that hold the next one twice, handed to the host again and again
return {
  tick = function()
    local t, s = {}, ("x"):rep(1 << 16)
    for _ = 1, 30 do t = { t, t, s } end
    while true do pcall(beam.log, t) pcall(beam.log, s) pcall(beam.log, setmetatable({}, { __tostring = function() return s end })) end
  end,
}
