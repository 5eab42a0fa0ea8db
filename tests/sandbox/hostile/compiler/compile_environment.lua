-- stopped: _ENV as a constant (CVE-2022-28805 in Lua 5.4.3)
-- allow: load
return {
  tick = function()
    load "local _ENV <const> = 1; local x = {}; return x, function() return y end"
    load "local function f() local a <const> = _ENV; return _ENV.x, _ENV end"
    while true do
    end
  end,
}
