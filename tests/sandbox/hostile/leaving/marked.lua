-- contained: functions, coroutines and itself in what goes out, marked as an array
local array = beam.array or print
return {
  tick = function()
    local t = { 1, print, coroutine.create(print) }
    t[1] = t
    array(t)
    return t, t
  end,
}
