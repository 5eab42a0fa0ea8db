-- held: what was not granted cannot be reached by any way
return {
  tick = function()
    local wanted = { "load", "loadfile", "dofile", "require", "package", "io", "debug", "collectgarbage", "warn" }
    for _, name in ipairs(wanted) do
      assert(rawget(_G, name) == nil, name)
      assert(not pcall(function() return _G[name] end), name)
    end
    for _, name in ipairs { "execute", "exit", "getenv", "remove", "rename", "tmpname", "setlocale" } do assert(os[name] == nil, name) end
    assert(string.dump == nil and ("").dump == nil, "dump")
    local seen = {}
    local function look(value, path)
      if seen[value] then return end
      seen[value] = true
      local meta = getmetatable(value)
      if type(meta) == "table" then look(meta, path .. " meta") end
      if type(value) ~= "table" then return end
      for k, v in next, value do
        assert(not (type(k) == "string" and (k == "execute" or k == "popen" or k == "sethook" or k == "loadlib" or k == "dump")), path)
        if type(v) == "table" or type(v) == "userdata" then look(v, path .. "." .. tostring(k)) end
      end
    end
    look(_G, "_G") look(getmetatable(""), "text") look(beam, "beam") look(beam.array {}, "array") look(coroutine.running(), "thread")
  end,
}
