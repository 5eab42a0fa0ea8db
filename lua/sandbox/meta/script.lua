---@meta sandbox.script
-- A script of the user's in a Lua state of its own (S), beside the one that calls this (P), as lua/sandbox has it. Lua 5.4 and 5.5 only.
--
-- Values are copied both ways: nil, booleans, integers, floats, strings, beam.null (a light userdata, NULL), and tables of these, whose
-- metatables
-- stay behind but for the mark of beam.array. At most 128 tables deep, 1,000,000 values and 64 MiB of strings at once. Anything else (a
-- function, a
-- userdata, a table that contains itself) is an error that names the place: for what P gives it is raised, for what S gives it is
-- returned.
--
-- Limits. Each load, and each call from outside, has the budget anew; a call within a call (a provided function calls the script) shares
-- the outer one's.
-- What provided functions take counts as the script's time. The script cannot go on after its budget: pcall and the like do not hold it.
--
-- Life. The state lives until close() or collection of the object. After a failure it can be called again, unless err.broken is true:
-- then the script
-- could not be unwound in time (a quarter of its budget), its state was given up, and each further call returns this error at once.

local script = {}

--- The names of all hooks, in the order in which the documentation has them.
script.hooks = { "connect", "open", "message", "close", "retry", "incoming", "outgoing", "tick", "save", "restore" } ---@type string[]

---@class sandbox.script.options
---@field memory integer|false? bytes, at least 256 KiB; default 64 MiB, false: no limit
---@field instructions integer? of Lua, for a call; what C functions do for the script is counted too; nil: no limit
---@field seconds number? of wall time, for a call; nil: no limit
-- @field allow string[]|"all"? what the script has beside the safe subset (docs/scripting.md has the names); "all": the whole of Lua's
-- libraries
---@field strict boolean? undeclared globals are errors; default true

---@class sandbox.script.error
---@field kind "script"
---@field message string one line: hook, file, line, what happened
---@field hook string? nil: the script was being loaded
---@field file string? of the script, as its chunk name has it
---@field line integer?
---@field traceback string? the script's lines, innermost first; "" if none ran
---@field limit "memory"|"instructions"|"time"|nil the budget that was used up
---@field broken boolean? the state is given up
---@field cause any? what was raised, if it was a table that can be copied

--- Raises for a mistake: an unknown option or name to allow.
---@param options sandbox.script.options?
---@return sandbox.script.object? object, sandbox.script.error? err out of memory
function script.new(options) end

---@class sandbox.script.object
local object = {}

--- The script sees beam.<name>(…). fn is called in P, with copies; it cannot yield. Its results are copied back; nil and an error object
--- come back as nil and
--- its text. An error in it is one in the script. print calls what is provided as "log", with one text. Before load.
---@param name string
---@param fn function
function object:provide(name, fn) end

--- Compiles and runs the script, once, and takes the table of hooks that it returns: functions by name. A name that is no hook but
--- nearly one is an error.
---@param text string source, no bytecode
---@param chunk_name string as for load: "@chat.lua", "=name"
---@return true? ok, sandbox.script.error? err
function object:load(text, chunk_name) end

---@param name string a hook or another function of the table
---@return boolean
function object:has(name) end

--- Calls a hook. A hook that the script has not: true alone.
---@param hook string raises for a name that is no hook
---@return true? ok, any ... the results, or sandbox.script.error
function object:call(hook, ...) end

--- Calls a function of the table that need not be a hook.
---@param name string
---@return true? ok, any ... the results, or sandbox.script.error
function object:call_function(name, ...) end

--- memory and peak: bytes of the state, now and at most; instructions and seconds: of the latest call from outside.
---@return { memory: integer, peak: integer, instructions: integer, seconds: number }
function object:usage() end

--- Frees the state; may be called twice. Raises while a call of it is on the stack. Also __gc and __close.
function object:close() end

return script
