-- stopped: two coroutines that hand over at once, for ever
return {
  tick = function()
    local function hop()
      while true do
        coroutine.yield()
      end
    end
    local a, b = coroutine.create(hop), coroutine.create(hop)
    while true do
      coroutine.resume(a)
      coroutine.resume(b)
    end
  end,
}
