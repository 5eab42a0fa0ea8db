-- stopped: a hundred pcalls around each other, and each goes on after an error
return {
  tick = function()
    local function tower(depth)
      while true do
        pcall(tower, depth + 1)
        if depth > 100 then
          while true do
          end
        end
      end
    end
    tower(1)
  end,
}
