---@meta beam.replay
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed. For lua-language-server: put the
-- folder docs/library (installed: share/lua-beam/library) into "Lua.workspace.library". Nothing loads this file.

---A recording, played again to a client.
---@class beam.replay_module
local replay = {}

--- Starts to serve a recording.
---@param path string
---@param options { host: string?, port: integer?, speed: number?, exact: boolean?, patience: number?, linger: number? }?
---@return beam.replay?
---@return beam.error? err the recording cannot be read, or the port is taken
function replay.listen(path, options) end

return replay
