-- stopped: keys of a mebibyte, each to be hashed and compared anew
return {
  tick = function()
    local t, n = {}, 0
    local base = ("k"):rep(1 << 20)
    while true do n = n + 1 t[base .. n] = n t = { [base .. n] = t[base .. n] } end
  end,
}
