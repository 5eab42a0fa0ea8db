-- refused: a file is read by lines
return {
  tick = function()
    for _ in io.lines "/etc/passwd" do
      break
    end
  end,
}
