-- scripts/everywhere.lua in LÖVE, without a window of its own: love tests/hosts/everywhere ROOT
function love.load(arguments)
  local root = arguments[1]
  package.path = root .. "/lua/?.lua;" .. root .. "/lua/?/init.lua;" .. package.path
  package.cpath = root .. "/build/lua/jit/?.so;" .. package.cpath
  print(assert(loadfile(root .. "/scripts/everywhere.lua"))())
  love.event.quit()
end
