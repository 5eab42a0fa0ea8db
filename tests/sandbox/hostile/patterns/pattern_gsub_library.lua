-- stopped: gsub whose function is one of the library: no instruction of Lua runs
return {
  tick = function()
    local text = ("a"):rep(4000000)
    while true do
      text:gsub(".", string.len)
      text:gsub("", tonumber)
    end
  end,
}
