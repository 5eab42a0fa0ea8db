-- JSON's null: lua-cjson's, where that is installed, so that values go from one to the other; else beam.core's, which is the same light
-- userdata. (beamlua has it without loading the transport: lua/baked/modules.c.)
local found, cjson = pcall(require, "cjson")
if found and type(cjson) == "table" and cjson.null ~= nil then
  return cjson.null
end
return require("beam.base.native").core().null
