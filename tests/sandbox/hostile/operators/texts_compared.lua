-- stopped: long texts that differ at their ends, also with zeros in them, for which the comparison begins anew
return {
  tick = function()
    local a, b = ("\0"):rep(1 << 21) .. "a", ("\0"):rep(1 << 21) .. "b"
    while true do if a < b and a <= b and b > a then a, b = a, b end end
  end,
}
