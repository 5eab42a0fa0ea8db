-- stopped: gmatch of a pattern that takes long to fail
return {
  tick = function()
    local text = ("a"):rep(20000)
    for _ in text:gmatch ".-.-.-b" do
    end
    while true do
    end
  end,
}
