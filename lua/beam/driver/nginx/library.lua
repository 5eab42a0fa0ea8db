-- The functions of beam.core for LuaJIT's ffi; beam.core has been loaded by then.
local ffi = require "ffi"

local library

--- What ffi calls them by.
return function()
  if not library then
    local path = package.searchpath("beam.core", package.cpath)
    library = path and ffi.load(path) or ffi.C
  end
  return library
end
