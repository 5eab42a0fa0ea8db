-- A collector that never rests, until what this returns is called.
return function()
  if _VERSION >= "Lua 5.5" then
    local pause, multiplier = collectgarbage("param", "pause", 1), collectgarbage("param", "stepmul", 10000)
    return function()
      collectgarbage("param", "pause", pause)
      collectgarbage("param", "stepmul", multiplier)
    end
  end
  local pause, multiplier = collectgarbage("setpause", 1), collectgarbage("setstepmul", 10000)
  return function()
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
  end
end
