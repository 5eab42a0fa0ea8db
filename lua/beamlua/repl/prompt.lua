-- Where lines come from: the line editor on a terminal (lua/beamlua/line/line.c), plain reading elsewhere. While it waits for a key, the
-- event loop turns: connections live on, their handlers run.
local complete = require "beamlua.repl.complete"
local deployments = require "beamlua.repl.deployments"
local driver = require "beam.driver"
local history = require "beamlua.repl.history"
local terminal = require "beamlua.cli.terminal"

local prompt = {}

local SIGINT = 2
local forever = 1e9

local Prompt = {}
Prompt.__index = Prompt

-- ---- Waiting ----

--- Turns the loop once. What an event function raises is shown; what SIGTERM raises ends the prompt.
---@param timeout number? seconds; default: until there is something to do
function Prompt:turn(timeout)
  local ok, problem = pcall(driver.step, timeout or forever)
  local signal = self.host.received()
  if not ok and signal and signal ~= SIGINT then
    error(problem, 0)
  elseif not ok and not signal then
    self:aside(io.stderr.write, io.stderr, "beamlua: ", tostring(problem), "\n")
  end
end

--- Whether Ctrl-C was pressed since the last time.
---@return boolean
function Prompt:interrupted()
  if self.host.received() ~= SIGINT then
    return false
  end
  self.host.forget_signal()
  return true
end

--- The terminal is somebody else's for a while, and its own modes hold.
function Prompt:lend()
  if self.editor then
    self.editor:leave()
    self.waiting = false
  end
end

function Prompt:take_back()
  if self.editor then
    self.editor:enter()
    self.waiting = true
  end
end

-- The next bytes of standard input, "" at its end, nil after Ctrl-C.
local function wait_for_bytes(self)
  local bytes, read
  local function done(data, problem)
    bytes = problem and "" or data
  end
  local refused
  while not bytes do
    read = read or driver.context():read(0, done)
    if not read and not refused then -- a coroutine reads standard input: it comes first
      self:lend()
      refused = true
    elseif read and refused then
      self:take_back()
      refused = false
    end
    self:turn()
    if not bytes and self:interrupted() then
      if read then
        read:stop()
      end
      return nil
    end
  end
  return bytes
end

-- ---- Reading ----

local function read_plain(self, text)
  io.stdout:write(text)
  io.stdout:flush()
  while true do
    local line, rest = self.text:match "^([^\n]*)\n(.*)$"
    if line then
      self.text = rest
      return line
    end
    local bytes = wait_for_bytes(self)
    if not bytes then
      self.text = ""
      return nil, "interrupted"
    elseif bytes == "" then
      line, self.text = self.text, ""
      return line ~= "" and line or nil, "end"
    end
    self.text = self.text .. bytes
  end
end

--- The next line.
---@param text string the prompt
---@return string? line
---@return "end"|"interrupted"|nil why there is none
function Prompt:read(text)
  if not self.editor then
    return read_plain(self, text)
  end
  self.waiting = true
  local line, why = self.editor:read(text, function()
    return wait_for_bytes(self)
  end, function(before)
    return complete.at(before, self.list_of)
  end)
  self.waiting = false
  if line and line ~= "" then
    self.editor:add(line)
    history.add(line, self.host.private_file)
  end
  return line, why
end

--- Calls write(...), which writes lines, without tearing the line that is being edited.
function Prompt:aside(write, ...)
  if self.editor and self.waiting then
    io.stdout:write "\r\27[K"
    io.stdout:flush()
  end
  write(...)
  if self.editor and self.waiting then
    io.stdout:flush()
    self.editor:refresh()
  end
end

--- Gives the terminal back.
function Prompt:close()
  if self.editor then
    self.editor:leave()
  end
end

-- ---- Making one ----

-- The editor is a shared object beside beam.core; without it (or on a terminal that can do nothing) lines are read as they are.
local function open_editor(host)
  if os.getenv "TERM" == "dumb" or not (terminal.is(0) and terminal.is(1)) then
    return nil
  end
  local path = host.find "line"
  local open = path and package.loadlib(path, "luaopen_beam_line")
  local editor = open and open("beam.line").open "beamlua"
  for _, line in ipairs(editor and history.load(host.private_file) or {}) do
    editor:add(line)
  end
  return editor
end

---@param host table
function prompt.new(host)
  driver.context() -- Ctrl-C wakes it, so it has to be there
  local self = setmetatable({ host = host, editor = open_editor(host), text = "", waiting = false }, Prompt)
  self.list_of = deployments.lister(function(seconds)
    self:turn(seconds)
  end)
  return self
end

return prompt
