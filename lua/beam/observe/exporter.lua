-- beam.otlp: sends spans to a collector of OpenTelemetry's (OTLP/HTTP, JSON), in batches and beside everything else. Nobody ever waits for
-- it: what comes while the queue is full is dropped, and counted.
--
--   span -> queue -> batch -> POST -> sent
--                      ^        |  what may pass is tried again, some times
--                      +--------+
--
-- It hears of its requests as an event function does, without a coroutine, so that the last batch goes out while the program ends, when no
-- coroutine runs any more. Its own requests are no calls: they are neither traced nor counted.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local errors = require "beam.error"
local headers = require "beam.settings.headers"
local log = require "beam.log"
local new_timers = require("beam.driver.timers").new
local open = require "beam.driver.open"
local options_of = require "beam.settings.options"
local otlp_json = require "beam.observe.otlp_json"
local otlp_options = require "beam.observe.otlp_options"
local retry_after = require "beam.http.retry_after"

local exporter = {}

local most_tries, longest_pause = 5, 30 -- of a batch; seconds between two of them
local passing = { [429] = true, [502] = true, [503] = true, [504] = true } -- what OTLP says may be tried again
local silence = 60 -- seconds between two lines of the log about what was lost
local last_words = 2 -- seconds for what is left when a Lua state ends that no loop of ours ends before

---@class beam.otlp
---@overload fun(span: beam.span)
local Exporter = {}
local meta = { __name = "beam.otlp", __index = Exporter }

-- ---- What becomes of a batch ----

local send

local function is_empty(self)
  return not self.batch and self.last < self.first
end

local function settle(self, failure)
  self.batch, self.failure = nil, failure
  if is_empty(self) then
    open.remove(self)
    self.empty:wake_all()
  elseif self.hurries or self.last - self.first + 1 >= self.options.batch then
    send(self)
  else
    self.timers:set("batch", self.options.every, send)
  end
end

local function tell_loss(self, count, why)
  self.lost = self.lost + count
  if driver.now() >= self.told_at + silence then
    self.told_at = driver.now()
    log.write("warning", ("beam.otlp: %d spans did not reach %s: %s"):format(self.lost, self.request.url, why))
    self.lost = 0
  end
end

local function drop(self, count, why)
  self.dropped = self.dropped + count
  tell_loss(self, count, why)
end

-- Seconds until the next try, or nil: there is none.
local function pause_of(self, headers_of_answer)
  if self.tries >= most_tries or self.ending then
    return nil
  end
  return math.min(retry_after(headers_of_answer) or 2 ^ (self.tries - 1), longest_pause)
end

local function answered(self, failure, response)
  local count, status = #self.batch, not failure and response.status
  if status and status >= 200 and status <= 299 then
    local refused, why = otlp_json.rejected(response.body, count)
    self.sent = self.sent + count - refused
    if refused > 0 then
      drop(self, refused, why or "the collector refused them")
    end
    return settle(self)
  end
  local what = failure and failure.message or ("it was answered with %d"):format(status)
  local may_pass = failure and failure.kind ~= "invalid" or passing[status]
  local seconds = may_pass and pause_of(self, response and headers.to_table(response.headers))
  if seconds then
    return self.timers:set("again", seconds, send)
  end
  drop(self, count, what)
  settle(self, what)
end

-- ---- Sending ----

local function take_batch(self)
  local count = math.min(self.last - self.first + 1, self.options.batch)
  local batch = {}
  for i = 1, count do
    batch[i], self.queue[self.first] = self.queue[self.first], nil
    self.first = self.first + 1
  end
  local problem
  self.batch, self.tries = batch, 0
  self.request.body, problem = otlp_json.encode(batch, self.resource, require("beam")._VERSION)
  return problem
end

-- Sends what waits, or what failed. Nothing happens while something is under way.
function send(self)
  self.timers:stop_all()
  if self.http or is_empty(self) then
    return
  end
  local problem = not self.batch and take_batch(self)
  if problem then
    drop(self, #self.batch, problem)
    return settle(self, problem)
  end
  self.tries = self.tries + 1
  local http, refused
  http, refused = driver.context():http(self.request, function(_, failure, response)
    self.http:free()
    self.http = nil
    driver.detach()
    answered(self, failure, response)
  end)
  if http then
    self.http = http
    driver.attach()
  else
    self.tries = most_tries
    answered(self, refused)
  end
end

-- ---- The queue ----

-- What is left when the Lua state is closed without beamlua or nginx: the loop is turned from here once more.
local function at_the_end(self)
  if is_empty(self) then
    return
  end
  local ctx = driver.context()
  local deadline = ctx:now() + last_words
  self:end_with()
  while not is_empty(self) and ctx:now() < deadline do
    ctx:step(deadline - ctx:now())
  end
end

function meta.__call(self, span)
  local waiting = self.last - self.first + 1
  if waiting >= self.options.queue then
    return drop(self, 1, "the queue is full")
  end
  if is_empty(self) then
    open.add(self)
  end
  self.guard = self.guard or compat.guard(function()
    pcall(at_the_end, self)
  end)
  self.last = self.last + 1
  self.queue[self.last] = span
  if self.hurries or waiting + 1 >= self.options.batch then
    if not self.batch then
      send(self)
    end
  elseif waiting == 0 and not self.batch then
    self.timers:set("batch", self.options.every, send)
  end
end

--- The program ends: what waits is sent now, and once.
function Exporter:end_with()
  self.hurries, self.ending = true, true
  if not self.http then
    send(self)
  end
end

--- Sends what waits now, and waits until nothing is left.
---@param timeout number? seconds, default 10
---@return true? sent
---@return beam.error? err some was lost meanwhile, or the time is over
function Exporter:flush(timeout)
  timeout = timeout or 10
  local deadline, dropped = driver.now() + timeout, self.dropped
  self.hurries = true
  if not self.http and not self.timers:is_set "again" then
    send(self)
  end
  while not is_empty(self) do
    local left = deadline - driver.now()
    if left <= 0 or not self.empty:wait(left) and not is_empty(self) then
      self.hurries = false
      return nil, errors.timeout("end of what was sent to " .. self.request.url, timeout)
    end
  end
  self.hurries = false
  if self.dropped > dropped then
    local message = ("%d spans did not reach %s"):format(self.dropped - dropped, self.request.url)
    return nil, errors.new { kind = "closed", message = message .. (self.failure and ": " .. self.failure or "") }
  end
  return true
end

--- Counts of spans: sent, dropped, and those that wait.
---@return { sent: integer, dropped: integer, waiting: integer }
function Exporter:stats()
  return { sent = self.sent, dropped = self.dropped, waiting = self.last - self.first + 1 + (self.batch and #self.batch or 0) }
end

function meta.__tostring(self)
  return "beam.otlp to " .. self.request.url
end

--- What sends spans to a collector of OpenTelemetry's: beam.client { on_span = beam.otlp() }. What the options leave out comes from the
--- environment: OTEL_EXPORTER_OTLP_ENDPOINT and the like, OTEL_SERVICE_NAME.
---@param options beam.otlp_options?
---@return beam.otlp
function exporter.new(options)
  options = otlp_options.read(options or {})
  local request = options_of.transport { tls = options.tls, proxy = options.proxy, connect_timeout = options.timeout }
  request.method, request.url, request.timeout = "POST", options.url, options.timeout
  request.auth, request.max_body = { scheme = "none" }, 65536
  request.headers = headers.to_pairs(options.headers)
  table.insert(request.headers, { "content-type", "application/json" })
  local self = setmetatable({
    options = options,
    request = request,
    resource = otlp_json.attributes(options.resource),
    queue = {},
    first = 1,
    last = 0,
    sent = 0,
    dropped = 0,
    lost = 0, -- of those, what the log does not know of yet
    told_at = -math.huge,
    hurries = false, -- somebody waits for the end
    ending = false,
    empty = driver.signal(),
  }, meta)
  self.timers = new_timers(self)
  return self
end

return exporter
