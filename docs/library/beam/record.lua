---@meta beam.record
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed. For lua-language-server: put the
-- folder docs/library (installed: share/lua-beam/library) into "Lua.workspace.library". Nothing loads this file.

---What goes over the wire, into a file.
---@class beam.record
local record = {}

--- Starts to record what begins from now on. This module has to be loaded before the first use of beam, as the contexts of before are not
--- wrapped.
---@param path string a file that is there already is overwritten
---@param options { max_bytes: integer? }? bytes of the file, default 256 MiB
---@return beam.recorder? recorder with stop()
---@return beam.error? err of kind "invalid": the file cannot be written
function record.to(path, options) end

return record
