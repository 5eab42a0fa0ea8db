-- stopped: a buffer of the library grows beyond all memory, which the library reports without a second try
local megabyte = ("x"):rep(1 << 20)
local many = {}
for i = 1, 200 do
  many[i] = megabyte
end

return {
  tick = function()
    local text = string.format(("%s"):rep(200), table.unpack(many))
    while #text > 0 do
      text = text .. text
    end
  end,
}
