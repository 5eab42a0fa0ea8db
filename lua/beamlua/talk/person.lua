-- beamlua realtime on a terminal: what goes and comes, with marks and times; why a connection was lost and when the next one is tried;
-- commands that begin with /; a status line.
--
--   12:03:04 > {"word":"hello"}
--   12:03:04 < {"response":{"word":"hello"}}  (3.2 ms)
local base64 = require "beam.base64"
local driver = require "beam.driver"
local new_status = require("beamlua.talk.status").new
local output = require "beamlua.cli.output"
local terminal = require "beamlua.cli.terminal"
local visible = require "beam.base.visible"

local Person = {}
Person.__index = Person

local person = {}

local help = "/ping: a round trip   /close [CODE [REASON]]: ends it   /stats: figures   //text: a line that begins with /"
local kept = 1000 -- lines whose answer is awaited
local calm = 0.05 -- seconds without output, after which the line above is the one that was typed

---@param context table of beamlua/cli/command.lua
function person.new(context)
  local self = setmetatable({ context = context, paint = terminal.painter(1), asked = {}, counts = { sent = 0, received = 0 } }, Person)
  if os.getenv "TERM" ~= "dumb" then
    self.status = new_status()
    context.host.leave = function()
      self.status:close()
    end
  end
  return self
end

-- ---- Showing ----

local function show(self, mark, colour, text, beside)
  self.shown_at = driver.now()
  local time = self.paint("grey", os.date "%H:%M:%S")
  output.line(("%s %s %s%s"):format(time, self.paint(colour, mark), text, beside and self.paint("grey", "  (" .. beside .. ")") or ""))
end

local function note(self, format, ...)
  show(self, "*", "yellow", visible.line(format:format(...)))
end

local function milliseconds(seconds)
  return ("%.1f ms"):format(seconds * 1000)
end

--- The line that was typed is written over, with its mark; one that took several lines stays.
function Person:sent(line)
  self.counts.sent = self.counts.sent + 1
  table.insert(self.asked, driver.now())
  if #self.asked > kept then
    table.remove(self.asked, 1)
  end
  local fits = (utf8.len(line) or #line) < terminal.columns(1) and driver.now() - (self.shown_at or 0) > calm
  if fits and os.getenv "TERM" ~= "dumb" then
    io.stdout:write "\27[1A\27[2K"
  end
  show(self, ">", "cyan", visible.line(line))
end

function Person:message(data, kind)
  self.counts.received = self.counts.received + 1
  local asked = table.remove(self.asked, 1)
  self.took = asked and driver.now() - asked
  local text = kind == "binary" and ("%d bytes: %s"):format(#data, base64.encode(data:sub(1, 48))) or visible.line(data)
  show(self, "<", "green", text, self.took and milliseconds(self.took))
end

function Person:phase(phase, seconds)
  if phase ~= "waiting" and phase ~= "closed" then
    note(self, "%s (%.2f s)", phase, seconds)
  end
end

function Person:lost(err, seconds)
  self.asked = {}
  local hint = err.hint and " (" .. err.hint .. ")" or ""
  note(self, "%s%s; %s", err.message, hint, seconds and ("next try in %.1f s"):format(seconds) or "no further try")
end

function Person:finish()
  if self.status then
    self.status:close()
  end
end

--- Draws the status line; to be called now and then.
---@param conn beam.connection
function Person:tick(conn)
  local figures = conn:stats()
  if self.status then
    self.status:show(
      (" %s  %s  sent %d  received %d  queued %d  reconnects %d%s   /help"):format(
        self.context.positionals[1],
        conn.state,
        self.counts.sent,
        self.counts.received,
        figures.queued,
        figures.reconnects,
        self.took and "  " .. milliseconds(self.took) or ""
      )
    )
  end
end

-- ---- Commands ----

local commands = {}

function commands.help(self)
  note(self, "%s", help)
end

function commands.ping(self, conn)
  local attempt = conn.attempt
  if conn.state ~= "open" or not attempt then
    return note(self, "not connected: %s", conn.state)
  end
  local settle, began = conn.pong, driver.now()
  function conn.pong(of, data)
    if data ~= "beamlua" then
      return settle(of, data)
    end
    conn.pong = nil -- the class's again
    note(self, "pong after %s", milliseconds(driver.now() - began))
  end
  attempt.ws:ping "beamlua"
end

function commands.close(self, conn, words)
  local code, reason = words:match "^(%d*)%s*(.*)$"
  self.left = true
  local ok, problem = pcall(conn.close, conn, tonumber(code) or 1000, reason)
  if not ok then -- a code that may not be sent
    self.left = false
    error(problem, 0)
  end
end

function commands.stats(self, conn)
  local figures, names = conn:stats(), {}
  for name, value in pairs(figures) do
    if value ~= 0 then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = ("%s %d"):format(name, figures[name])
  end
  note(self, "%s", table.concat(names, ", "))
end

--- Whether the line was a command; or the line without its first /.
---@param line string
---@param conn beam.connection
---@return boolean|string
function Person:command(line, conn)
  local name, words = line:match "^/([a-z]+)%s*(.*)$"
  if line:find "^//" then
    return line:sub(2)
  elseif not name then
    return false
  elseif not commands[name] then
    note(self, "there is no /%s. %s", name, help)
    return true
  end
  local ok, problem, err = pcall(commands[name], self, conn, words)
  if not ok or problem == nil and err then
    note(self, "%s", tostring(not ok and problem or err.message))
  end
  return true
end

return person
