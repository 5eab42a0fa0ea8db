-- stopped: .* after .*
return {
  tick = function()
    local text = ("a"):rep(2000)
    while true do
      text:match ".*.*.*.*.*.*b"
    end
  end,
}
