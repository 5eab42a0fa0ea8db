-- beamlua map NAME <in.jsonl >out.jsonl
local errors = require "beam.error"
local failure = require "beamlua.cli.failure"
local journal = require "beamlua.cli.journal"
local json = require "beam.json"
local output = require "beamlua.cli.output"
local read_line = require("beam.driver.lines").read_line
local terminal = require "beamlua.cli.terminal"
local whereabouts = require "beamlua.cli.errors.whereabouts"
local write_line = require "beam.base.write_line"

local usual = 16 -- calls at a time

local Map = {}
Map.__index = Map

local lost = errors.new {
  kind = "interrupted",
  message = "an earlier run was ended while this call was in flight",
  executed = "unknown",
  hint = "it may have run; --idempotent runs it again",
}

-- ---- Outcomes ----

local function print_record(self, record)
  local code = not record:find('^{"line":%d+,"result":') and json.decode(record).error.exit_code
  self.code = self.code == 0 and code or self.code
  self.failed = self.failed + (code and 1 or 0)
  self.printed = self.printed + 1
  if not code or not self.failures then
    return output.line(record)
  end
  write_line(self.failures, self.options.failures, record)
end

-- With --ordered each waits for those before it. What is known from before is read when its turn comes.
local function put(self, line, record)
  if not self.options.ordered then
    return print_record(self, record or self.journal:record(line))
  end
  self.held[line] = record or true
  local next_one = self.held[self.next_line]
  while next_one do
    self.held[self.next_line] = nil
    print_record(self, next_one == true and self.journal:record(self.next_line) or next_one)
    self.next_line = self.next_line + 1
    next_one = self.held[self.next_line]
  end
end

local function settle(self, line, record)
  if self.journal then
    self.journal:finish(record)
  end
  put(self, line, record)
end

-- One level deeper than before, and nobody may be able to read it any more.
local function is_readable(record)
  return json.decode(record) ~= nil
end

local function record_of_error(line, text, err)
  local as_text, form = json.encode(text) or "null", '{"line":%d,"input":%s,"error":%s}'
  local input = json.decode(text) ~= nil and output.compact(text) or as_text
  local record = form:format(line, input, failure.json(err))
  if not is_readable(record) then
    err.body = nil
    record = form:format(line, input, failure.json(err))
  end
  return is_readable(record) and record or form:format(line, as_text, failure.json(err))
end

local function record_of_result(line, info)
  local raw = info.raw or ""
  return ('{"line":%d,"result":%s}'):format(line, raw:find "%S" and output.compact(raw) or "null")
end

-- ---- Inputs ----

-- A line that makes no call: it is known from before, or is no input. Returns whether it was one.
local function pass_over(self, line, text)
  local known = self.journal and self.journal:knows(line, self.options.idempotent)
  if known == "ended" then
    self.before = self.before + 1
    put(self, line)
    return true
  elseif known == "unknown" and not self.options.idempotent then
    settle(self, line, record_of_error(line, text, lost))
    return true
  end
  local input, problem = json.decode(text)
  if type(input) == "table" and not json.is_array(input) then
    return false, input
  end
  local why = input == nil and "no JSON: " .. tostring(problem) or "no JSON object"
  settle(self, line, record_of_error(line, text, errors.new { kind = "json", message = "the line is " .. why }))
  return true
end

-- The next input that is to be sent, or nil at the end.
local function next_input(self)
  while true do
    local text, err = read_line()
    if not text then
      self.problem = err
      return nil
    end
    self.line = self.line + 1
    local passed, input = pass_over(self, self.line, text)
    if not passed then
      self.sent = self.sent + 1
      self.lines[self.sent], self.texts[self.sent] = self.line, text
      if self.journal then
        self.journal:begin(self.line)
      end
      return input
    end
  end
end

-- ---- The whole ----

local function open_files(self)
  local options = self.options
  if options.resume then
    local opened, err = journal.open(options.resume, self.name)
    if not opened then
      return nil, err
    end
    self.journal = opened
  end
  if options.failures then
    local problem
    self.failures, problem = io.open(options.failures, "wb")
    if not self.failures then
      return nil, errors.new { kind = "invalid", message = tostring(problem) }
    end
  end
  return true
end

local function gather(self)
  local options, attempts = self.options, self.options.retry
  return {
    self.name,
    inputs = function()
      return next_input(self)
    end,
    concurrency = options.concurrency,
    ordered = options.ordered,
    window = not options.ordered and (options.concurrency or usual) or nil, -- what has begun and is not written yet
    progress = options.progress,
    timeout = options.timeout,
    idempotent = options.idempotent,
    headers = options.headers,
    version = options.version,
    retry = attempts and (attempts > 0 and require("beam.retry").backoff { base = 0.5, max = 30, attempts = attempts } or false),
  }
end

-- What was meant by a name that Beam does not know: it is asked once.
local function explain(self, err)
  if err and not self.explained then
    self.explained = true
    whereabouts.explain(self.client, self.name, "endpoint", err)
  end
end

local function run(self, map)
  local position, result, err, info = map:next()
  while position do
    local line, text = self.lines[position], self.texts[position]
    if line then -- nil: the input itself has ended with an error
      self.lines[position], self.texts[position] = nil, nil
      explain(self, err)
      settle(self, line, result ~= nil and record_of_result(line, info) or record_of_error(line, text, err))
    end
    self.problem = self.problem or not line and err or nil
    position, result, err, info = map:next()
  end
end

local function say(self, context)
  if context.options.verbose or terminal.is(2) then
    output.say(context, "%d lines, %d failed, %d known from before", self.printed, self.failed, self.before)
  end
end

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local self = setmetatable({ options = context.options, name = context.positionals[1], held = {}, next_line = 1 }, Map)
  self.client = client
  self.line, self.sent, self.printed, self.failed, self.before, self.code = 0, 0, 0, 0, 0, 0
  self.lines, self.texts = {}, {}
  local ok, problem = open_files(self)
  if not ok then
    return nil, problem
  end
  run(self, client.map(gather(self)))
  say(self, context)
  if self.problem then
    return nil, self.problem
  end
  return self.code
end
