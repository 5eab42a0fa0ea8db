-- refused: a file is read
return {
  tick = function()
    local file = assert(io.open "/etc/passwd")
    file:close()
  end,
}
