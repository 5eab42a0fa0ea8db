-- stopped: a hundred thousand arguments, handed on by each call
return {
  tick = function()
    local t = {}
    for i = 1, 100000 do t[i] = i end
    local function count(...) return select("#", ...) end
    local function many(...) while true do count(...) select(-1, ...) select(2, ...) end end
    many(table.unpack(t))
  end,
}
