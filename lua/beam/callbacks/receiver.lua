-- Receives callbacks in a program that has no web server of its own: it listens, takes what Beam has signed, each task's once, and wakes
-- who waits for it.
local driver = require "beam.driver"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"
local protect = require "beam.driver.protect"
local types = require "beam.base.types"

local most_kept = 10000 -- callbacks that nobody has asked for; the oldest are forgotten
local max_body = 64 * 1024 * 1024

---@class beam.callback_receiver
---@field url string what a deployment or an input has as its callback_url
---@field port integer
local Receiver = {}
local meta = { __name = "beam.callback_receiver", __index = Receiver }

-- ---- What comes ----

local function forget_oldest(self)
  local oldest = self.order[self.first]
  self.order[self.first], self.by_task[oldest] = nil, nil
  self.first = self.first + 1
end

local function keep(self, callback)
  local id = callback.task_id
  if not id or self.by_task[id] then
    return -- it came before
  end
  self.last = self.last + 1
  self.order[self.last], self.by_task[id] = id, callback
  if self.last - self.first >= most_kept then
    forget_oldest(self)
  end
  self.changed:wake_all()
end

-- The key may have to be asked for: in a coroutine of its own.
local function take(self, request, view)
  local ok, callback, err = protect.hook(self.verify, view.body, view.headers, self.key, { window = self.window })
  if ok and callback then
    keep(self, callback)
    return request:respond(204, {}, "")
  end
  err = ok and err or callback
  require("beam.log").write("warning", "a callback was refused: " .. tostring(err))
  request:respond(err.kind == "auth" and 401 or 503, {}, "") -- 503: Beam tries again
end

-- ---- The user's ----

--- Waits until Beam has told that a task has ended.
---@param task beam.task|string
---@param timeout number? seconds
---@return beam.callback? callback, beam.error? err
function Receiver:wait(task, timeout)
  local id = type(task) == "table" and task.id or task
  if type(id) ~= "string" then
    mistake "receiver:wait wants a task, or its id"
  end
  local deadline = timeout and driver.now() + timeout
  while not self.by_task[id] do
    if self.closed then
      return nil, errors.new { kind = "closed", message = "the receiver of callbacks is closed", phase = "closed", executed = "unknown" }
    end
    local left = deadline and deadline - driver.now()
    if left and left <= 0 then
      local fields = { task_id = id, executed = "unknown", hint = "the task may go on: ask task:status()" }
      return nil, errors.timeout("callback of task " .. id, timeout, fields)
    end
    self.changed:wait(left)
  end
  return self.by_task[id]
end

--- Listens no more; who waits is told. May be called twice.
function Receiver:close()
  if not self.closed then
    self.closed = true
    self.server:close()
    driver.detach()
    self.changed:wake_all()
  end
end

meta.__close = Receiver.close

---@class beam.listen_options
---@field host string? numeric address to listen on, default 127.0.0.1
---@field port integer? default: a free one
---@field url string? how Beam reaches it, where that is another address than the one it listens on
---@field key string|fun(options: table?): string?, beam.error?|nil default: the default client's signing key
---@field window number? seconds that a callback may be old, default 300
local option_types = { host = "string", port = "number", url = "string", key = "string|function", window = "number" }

local function check(options)
  errors.check_options(options, option_types, "beam.callbacks.listen")
  types.check(options, option_types, "beam.callbacks.listen")
end

--- Starts to listen for callbacks.
---@param options beam.listen_options?
---@param verify function beam.callbacks.verify
---@return beam.callback_receiver? receiver, beam.error? err
return function(options, verify)
  options = options or {}
  check(options)
  local self = setmetatable({ verify = verify, key = options.key, window = options.window, closed = false }, meta)
  self.changed = driver.signal()
  self.by_task, self.order, self.first, self.last = {}, {}, 1, 0
  local host = options.host or "127.0.0.1"
  local core, failure = driver.context():server({ host = host, port = options.port or 0, max_body = max_body }, function(request, view)
    driver.defer(function()
      take(self, request, view)
    end)
  end)
  if not core then
    return nil, errors.from_core(failure, "callbacks cannot be received")
  end
  driver.attach()
  self.server, self.port = core, core:port()
  self.url = options.url or ("http://%s:%d/"):format(host:find ":" and "[" .. host .. "]" or host, self.port)
  return self
end
