-- stopped: coroutines too short for a count of their instructions
return {
  tick = function()
    local function grow(depth)
      if depth > 0 then
        coroutine.wrap(grow)(depth - 1)
        coroutine.wrap(grow)(depth - 1)
      end
    end
    while true do
      grow(12)
    end
  end,
}
