-- beamlua realtime NAME: lines in, messages out. Three coroutines: one reads lines and sends them, one receives and prints, the third
-- decides when it is over. What is shown of it, and how, is the view's: beamlua/talk/plain.lua, person.lua, events.lua.
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"
local read_line = require("beam.driver.lines").read_line
local retry = require "beam.retry"
local terminal = require "beamlua.cli.terminal"

local silence = 5 -- seconds without a message after the end of the input, where nothing else is said

-- ---- Sending ----

local function check_json(line, number)
  local value, problem = json.decode(line)
  if value == nil then
    return errors.new { kind = "json", message = ("line %d of the input is no JSON: %s"):format(number, problem) }
  end
end

-- A full queue holds the reading of the input back.
local function send(self, line)
  while true do
    local ok, err = self.conn[self.options.binary and "send_binary" or "send"](self.conn, line)
    if ok or err.kind ~= "queue_full" then
      return err
    end
    self.conn:flush(1)
  end
end

local function send_lines(self)
  local number = 0
  local line, err = read_line()
  while line and not err do
    number = number + 1
    local command = self.view:command(line, self.conn)
    line = type(command) == "string" and command or line
    local blank = command == true or self.options.json and line:find "^%s*$"
    err = self.options.json and not blank and check_json(line, number) or nil
    if not err and not blank then
      err = send(self, line)
    end
    if not err and not blank then
      self.sent = self.sent + 1
      self.view:sent(line)
    end
    if not err then
      line, err = read_line()
    end
  end
  self.conn:flush()
  self.failure = self.failure or err
  self.input_ended, self.last = true, driver.now()
  self.changed:wake()
end

-- ---- Receiving ----

local function print_message(self, data, kind)
  local ok, problem = pcall(self.view.message, self.view, data, kind)
  self.failure = not ok and errors.new { kind = "invalid", message = problem, executed = "unknown" } or self.failure
  self.received, self.last = self.received + 1, driver.now()
end

local function print_messages(self)
  repeat
    local data, err, kind = self.conn:receive()
    if data == nil then
      self.closed = err
    else
      print_message(self, data, kind)
    end
    self.changed:wake()
  until self.closed or self.failure or self.received == self.options.count
end

-- ---- When it is over ----

-- Seconds until the silence is long enough to end it; nil: it does not.
local function patience(self)
  local options = self.options
  local longest = options.timeout
  if self.input_ended and not options.count then
    longest = math.min(longest or math.huge, options.wait or silence)
  end
  return longest and self.last + longest - driver.now()
end

local function answered(self)
  return self.input_ended and not self.options.count and not self.options.wait and self.sent > 0 and self.received >= self.sent
end

-- A line that could not be sent says less than why the connection ended.
local function reason(self)
  local ended = self.conn.err
  return self.failure.kind == "closed" and ended and ended.code ~= 1000 and ended or self.failure
end

-- Waits until it is over. Returns what is wrong, if something is.
local function wait(self)
  while true do
    local left = patience(self)
    if self.failure then
      return reason(self)
    elseif self.received == self.options.count or answered(self) then
      return nil
    elseif self.closed then
      return self.closed.code ~= 1000 and not self.view.left and self.closed or nil
    elseif left and left <= 0 then
      local expected = not self.input_ended or self.options.count
      return expected and errors.timeout("message from " .. self.conn.url, self.options.timeout, { executed = "unknown" }) or nil
    end
    self.changed:wait(left)
  end
end

-- ---- Opening ----

local function view_of(context)
  local options = context.options
  if options.jsonl then
    return require("beamlua.talk.jsonl").new()
  elseif terminal.is(0) and terminal.is(1) and not (options.json or options.raw) then
    return require("beamlua.talk.person").new(context)
  end
  return require("beamlua.talk.plain").new(context)
end

local function open(context, client, view)
  local options = context.options
  return client.realtime {
    context.positionals[1],
    headers = options.headers,
    version = options.version,
    max_message = options.max_message,
    reconnect = not options.no_reconnect,
    retry = function(attempt, err, conn)
      local seconds = retry.default(attempt, err, conn)
      view:lost(err, seconds)
      return seconds
    end,
    on_phase = function(phase, _, seconds)
      view:phase(phase, seconds)
    end,
  }
end

local function tick_for_ever(self)
  while self.conn.state ~= "closed" do
    self.view:tick(self.conn)
    driver.sleep(1)
  end
end

local function talk(self)
  driver.spawn(send_lines, self)
  driver.spawn(print_messages, self)
  if self.view.tick then
    driver.spawn(tick_for_ever, self)
  end
  local failure = wait(self)
  self.conn:close()
  self.view:finish(failure or self.conn.err)
  return failure
end

return function(context)
  local options = context.options
  if (options.json and 1 or 0) + (options.raw and 1 or 0) + (options.jsonl and 1 or 0) > 1 then
    error("beamlua: one of --json, --jsonl and --raw, not both", 0)
  end
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local view = view_of(context)
  local conn, problem = open(context, client, view)
  if not conn then
    return nil, problem
  end
  conn:leave_undecoded()
  local self = { options = options, conn = conn, view = view, changed = driver.signal(), sent = 0, received = 0, last = driver.now() }
  local failure = talk(self)
  return not failure and 0 or nil, failure
end
