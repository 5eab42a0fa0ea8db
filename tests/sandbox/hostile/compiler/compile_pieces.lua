-- stopped: load asks for another piece for ever
-- allow: load
return {
  tick = function()
    load(function()
      return ";"
    end)
  end,
}
