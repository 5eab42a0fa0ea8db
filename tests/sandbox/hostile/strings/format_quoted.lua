-- stopped: string.format of one string that takes long to quote
local text = ("\1"):rep(2 << 20)
return {
  tick = function()
    string.format("%q", text)
    string.format("%s %q", "x", text)
    while true do
    end
  end,
}
