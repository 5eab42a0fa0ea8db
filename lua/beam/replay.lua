-- Plays the server's part of a recording (docs/record.md): a client that does as the recorded one did is given the same answers, to the
-- byte and at the same times; where it does otherwise, the report says so.
--
--   local replay = assert(require("beam.replay").listen "session.jsonl")
--   …                                    a client at replay.url
--   local report = replay:wait()         report.ok, report.differences, tostring(report)
--
-- Each request is one of the recorded exchanges (replay/matching.lua), and each is played by a coroutine (connection.lua, request.lua).
local Connection = require "beam.record.replay.connection"
local Player = require "beam.record.replay.player"
local Request = require "beam.record.replay.request"
local asked = require "beam.record.replay.asked"
local driver = require "beam.driver"
local errors = require "beam.error"
local matching = require "beam.record.replay.matching"
local recording = require "beam.recording"
local reports = require "beam.record.replay.report"
local secret_list = require "beam.settings.secret_list"

local replay = {}

local defaults = {
  host = "127.0.0.1",
  port = 0, -- a free one
  speed = 1, -- times as fast as it was; math.huge: as fast as the client
  exact = false, -- compare JSON to the byte
  patience = 10, -- seconds to wait for what the client had done, besides what it had taken
  linger = 0.5, -- seconds after the end in which further requests are still noticed
}

local max_body = 1024 * 1024 * 1024 -- no recorded one is longer

---@class beam.replay
---@field port integer
---@field url string "http://127.0.0.1:1994"
local Replay = {}
Replay.__index = Replay
Replay.__name = "beam.replay"

-- ---- Requests ----

local function refuse_surplus(self, request, got)
  local what = got.kind == "connection" and got.target or got.method .. " " .. got.target
  self.report:differ(got.kind, nil, ("surplus: %s, and none was to come"):format(what))
  request:respond(400, { { "content-type", "application/json" } }, '{"message":"the recording has nothing more to play"}')
end

local function find_exchange(self, got)
  local exact = self.options.exact
  local exchange, what = self.matching:take(got.kind, function(candidate)
    return asked.difference(candidate, got, exact)
  end)
  if exchange and what then
    self.report:differ(exchange.name, exchange.events[1].line, what)
  elseif exchange and asked.other_form(exchange, got) then
    self.report.form = self.report.form + 1
  end
  self.report.messages = self.report.messages + 1
  return exchange
end

local function finish(self, player)
  self.players[player.request] = nil
  self.playing = self.playing - 1
  self.heard = driver.now()
  self.changed:wake_all()
end

local function play(self, request, view)
  local got = asked.read(view, self.secrets)
  local exchange = find_exchange(self, got)
  if not exchange then
    return refuse_surplus(self, request, got)
  end
  local player = Player.new(exchange.kind == "connection" and Connection or Request, self, exchange, request)
  self.players[request] = player
  self.playing = self.playing + 1
  self.heard = driver.now()
  driver.spawn(function()
    local _, err = driver.spawn(player.run, player):join()
    if err then -- a status, a header that no server can send
      local open = player.ws or request
      player:differ("it cannot be played: " .. tostring(err.cause or err), exchange.events[1].line)
      open:abort()
    end
    finish(self, player)
  end)
end

-- Events must not run what may wait: this coroutine does.
local function accept_requests(self)
  while not self.closed do
    local first = table.remove(self.queue, 1)
    if first then
      play(self, first[1], first[2])
      self.changed:wake_all()
    else
      self.asked:wait()
    end
  end
end

-- ---- Its end ----

-- When the next exchange is given up: it had begun so long after what came before it, and some patience besides. The first one may take
-- as long as it likes: somebody has to start the client.
local function deadline(self)
  local next_one = self.matching:candidates()[1]
  if self.playing > 0 or next_one and not self.heard then
    return math.huge
  elseif not next_one then
    return (self.heard or driver.now()) + self.options.linger
  end
  return self.heard + next_one.gap / self.options.speed + self.options.patience
end

local function report_missing(self)
  for _, exchange in ipairs(self.matching:missing()) do
    local first = exchange.events[1]
    local what = (first.method and first.method .. " " or "") .. first.target
    self.report:differ(exchange.name, first.line, ("missing: expected %s, and it never came"):format(what))
  end
end

--- Waits until all is played, or what is missing is given up; then it stops listening.
---@return beam.replay.report
function Replay:wait()
  while not self.closed do
    local left = deadline(self) - driver.now()
    if left <= 0 and #self.queue == 0 then
      report_missing(self)
      self:close()
    else
      self.changed:wait(left < math.huge and math.max(0, left) or nil)
    end
  end
  return self.report
end

--- Stops listening. May be called twice.
function Replay:close()
  if not self.closed then
    self.closed = true
    self.core:close()
    self.asked:wake_all()
    self.changed:wake_all()
    driver.detach()
    driver.unref()
  end
end

-- ---- Its beginning ----

local function check_options(given)
  errors.check_options(given, defaults, "beam.replay.listen")
  local options = {}
  for name, value in pairs(defaults) do
    options[name] = value
    if given[name] ~= nil then
      options[name] = given[name]
    end
    if type(options[name]) ~= type(value) then
      error(("beam.replay.listen: %s is a %s"):format(name, type(value)), 3)
    end
  end
  if not (options.speed > 0 and options.patience >= 0 and options.linger >= 0) then
    error("beam.replay.listen: speed is above 0, patience and linger are seconds", 3)
  end
  return options
end

local function listen_on_core(self)
  return driver.context():server({ host = self.options.host, port = self.options.port, max_body = max_body }, function(request, view)
    table.insert(self.queue, { request, view })
    self.asked:wake()
  end, function(request)
    local player = self.players[request]
    if player then
      player.gone, player.over = true, true
      player:wake()
    end
  end)
end

local function note_skipped(self, skipped)
  for _, exchange in ipairs(skipped) do
    local last = exchange.events[#exchange.events]
    self.report:note(("%s is not played: it had not reached Beam (%s)"):format(exchange.name, last.error))
  end
end

--- Starts to serve a recording.
---@param path string
---@param options { host: string?, port: integer?, speed: number?, exact: boolean?, patience: number?, linger: number? }?
---@return beam.replay?
---@return beam.error? err the recording cannot be read, or the port is taken
function replay.listen(path, options)
  options = check_options(options or {})
  local read, problem = recording.read(path)
  if not read then
    return nil, problem
  end
  local waiting, skipped = matching.new(read)
  local self = setmetatable({
    options = options,
    driver = driver,
    matching = waiting,
    report = reports.new(),
    secrets = secret_list.new(), -- those of who asks
    queue = {}, -- requests that nobody has looked at yet
    players = {}, -- by request
    playing = 0,
    asked = driver.signal(),
    changed = driver.signal(),
    closed = false,
  }, Replay)
  note_skipped(self, skipped)
  local core, err = listen_on_core(self)
  if not core then
    return nil, errors.from_core(err, "the replay cannot listen")
  end
  self.core, self.port = core, core:port()
  self.url = ("http://%s:%d"):format(options.host:find ":" and "[" .. options.host .. "]" or options.host, self.port)
  driver.attach()
  driver.ref()
  driver.spawn(accept_requests, self)
  return self
end

return replay
