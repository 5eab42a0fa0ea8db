-- stopped: a set of megabytes, looked through for each character
return {
  tick = function()
    local set = "[" .. ("bc"):rep(1000000) .. "]"
    while true do
      ("a"):rep(100000):find(set)
    end
  end,
}
