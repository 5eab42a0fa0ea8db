-- refused: bytecode is loaded
-- allow: load
return {
  tick = function()
    local header = "\27Lua\x54\0\x19\x93\r\n\x1a\n\4\8\8xV\0\0\0\0\0\0\0\0\0\0\0\x28w@\1"
    local chunk, message = load(header, "bytecode", "b")
    assert(chunk or not message:find "attempt to load a", message)
  end,
}
