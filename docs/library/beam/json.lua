---@meta beam.json
-- Made by docs/reference/library.lua from the comments in lua/beam: `make library` after one has changed. For lua-language-server: put the
-- folder docs/library (installed: share/lua-beam/library) into "Lua.workspace.library". Nothing loads this file.

---What calls, connections and tasks read and write, for scripts.
---@class beam.json
---@field null lightuserdata JSON's null, the same as beam.null
local json = {}

--- The value of a JSON text. null is json.null, arrays are marked (json.is_array). Bare NaN and Infinity, which Python
--- writes, are read as null.
---@param text string
---@return any value nil: it is no JSON, or has a number that this Lua cannot hold
---@return string? message what is wrong, at which byte
function json.decode(text) end

--- The JSON text of a value (compact). A table with items 1..n is an array, one with string keys an object; an empty one is
--- an object unless json.array marks it.
---@param value any
---@return string? text
---@return string? message what cannot be written, by its path
function json.encode(value) end

--- The same, and whether an integer beyond 2^53 is in it, which a reader that has floats only would round.
---@param value any
---@return string? text
---@return boolean|string large or the message
function json.encode_checked(value) end

--- Marks `t` (default: a new table) as an array, so that it is written as [] when it is empty.
---@generic T: table
---@param t T?
---@return T
function json.array(t) end

--- True for a table that is written as an array: marked as one, or not empty and a sequence by its first item.
---@param t any
---@return boolean
function json.is_array(t) end

return json
