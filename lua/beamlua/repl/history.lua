-- The lines typed at the prompt, from one session to the next: ~/.beamlua_history, or the file that BEAMLUA_HISTORY names (empty: none).
--
-- Only its owner can read it, it keeps the last 1000 lines, and a line that may have a secret in it is not written.
local ascii = require "beam.base.ascii"

local history = {}

local most = 1000 -- lines
local longest = 4096 -- bytes of a line
local secrets = { "token", "secret", "password", "passwd", "bearer", "api_?key", "authorization", "basic%s*=" }

---@return string? path nil: none is kept
function history.path()
  local named, home = os.getenv "BEAMLUA_HISTORY", os.getenv "HOME"
  if named then
    return named ~= "" and named or nil
  end
  return home and home ~= "" and home .. "/.beamlua_history" or nil
end

--- Whether a line may be written down. One that begins with a blank is not, as in shells.
---@param line string
---@return boolean
function history.may_keep(line)
  local lower = ascii.lower(line)
  for _, pattern in ipairs(secrets) do
    if lower:find(pattern) then
      return false
    end
  end
  return not line:find "^%s" and line ~= "" and #line <= longest
end

-- Lua cannot set a mode: `private` is host's, a file that is there already keeps its own.
local function append(path, private, lines)
  private(path)
  local file = io.open(path, "a")
  if file then
    file:write(table.concat(lines, "\n"), "\n")
    file:close()
  end
end

--- The lines of former sessions, oldest first; a file that has grown is shortened.
---@param private fun(path: string) makes the file, for its owner only, if it is not there
---@return string[]
function history.load(private)
  local path, lines = history.path(), {}
  local file = path and io.open(path, "r")
  if not file then
    return lines
  end
  local line = file:read "l" -- and not lines(), which raises where it is a folder
  while line do
    lines[#lines + 1] = line
    line = file:read "l"
  end
  file:close()
  if #lines > 2 * most then
    lines = table.move(lines, #lines - most + 1, #lines, 1, {})
    local shortened = path .. ".new"
    os.remove(shortened)
    append(shortened, private, lines)
    os.rename(shortened, path)
  end
  return lines
end

---@param line string
---@param private fun(path: string)
function history.add(line, private)
  local path = history.path()
  if path and history.may_keep(line) then
    append(path, private, { line })
  end
end

return history
