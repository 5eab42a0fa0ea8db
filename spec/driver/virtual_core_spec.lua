-- The stand-in for beam.core (spec/virtual) held against the real one: the same scenes, the same events on either side.
local real = require "beam.core"
local virtual = require "virtual.core"

-- One scene: a server and a client, and what each hears. Hosts and ports are not compared.
local Scene = {}
Scene.__index = Scene

local function shown(value)
  if type(value) ~= "table" then
    return (tostring(value):gsub("%d+%.%d+%.%d+%.%d+:%d+", "HOST"))
  elseif value.kind then
    return ("{%s %s %s %s}"):format(value.kind, value.phase, tostring(value.sent), tostring(value.status))
  end
  return value.status and ("{%d %s}"):format(value.status, tostring(value.body)) or "{}"
end

local function line(...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = shown((select(i, ...)))
  end
  return table.concat(parts, " ")
end

local function recorder(lines)
  return function(...)
    lines[#lines + 1] = line(...)
  end
end

--- Writes down what a call gave.
function Scene:note(...)
  self.noted[#self.noted + 1] = line(...)
end

function Scene:later(seconds, fn)
  assert(self.ctx:timer(seconds, fn))
end

function Scene:wait(seconds, done)
  local over = false
  self:later(seconds, function()
    over = true
  end)
  while not over and not (done and done()) do
    self.ctx:step(-1)
  end
  for _ = 1, done and 0 or 20 do
    self.ctx:step(0) -- on a busy machine the time is over before there was a look at what has come
  end
end

--- Until the server holds a request.
function Scene:wait_for_request()
  self:wait(20, function()
    return self.request
  end)
end

function Scene:serve(request, view)
  local path = view.target
  if path == "/hold" then
    self.request = request
  elseif path == "/abort" or path == "/reset" then
    request:abort(path == "/reset")
  elseif path == "/503" then
    self:note(request:respond(503, { { "retry-after", "3" } }, "no room"))
    self:note((request:accept({}, print)))
  else
    self.theirs = assert(request:accept({ close_timeout = 0.1 }, recorder(self.server)))
  end
end

--- Opens a WebSocket to `path` of the scene's server; it is open when this returns, if it ever is.
function Scene:open(path, options)
  options = options or {}
  options.url = ("ws://127.0.0.1:%d%s"):format(self.port, path or "/")
  options.close_timeout = 0.1
  local record = recorder(self.client)
  self.ours = assert(self.ctx:websocket(options, function(event, ...)
    record(event, ...)
    self.opened = self.opened or event == "open" or event == "closed"
    if self.on_event then
      self.on_event(event, ...)
    end
  end))
  return self.ours
end

function Scene:opening(path, options)
  self:open(path, options)
  self:wait(20, function()
    return self.opened
  end)
  self:wait(0.01)
end

local function play(core, scene)
  local self = setmetatable({ client = {}, server = {}, noted = {} }, Scene)
  self.ctx = assert(core.new {})
  local server = assert(self.ctx:server({}, function(request, view)
    self:serve(request, view)
  end, function()
    self.server[#self.server + 1] = "gone"
  end))
  self.port = server:port()
  scene(self)
  self:wait(0.03)
  server:close()
  self.ctx:close()
  return { client = self.client, server = self.server, noted = self.noted }
end

local scenes = {
  ["sends, pings and closes"] = function(scene)
    scene:opening()
    scene:note(scene.ours:send "one")
    scene:note(scene.ours:ping "p")
    scene:note(scene.ours:send_binary "\0\1")
    scene:wait(0.02)
    scene:note(scene.ours:close(4001, "bye"))
    scene:note(scene.ours:phase(), scene.ours:send "two")
    scene:note(scene.ours:close(1000))
    scene:wait(0.02)
    scene:note(scene.ours:phase(), scene.ours:pending(), scene.ours:send "three")
    scene:note(scene.ours:ping())
    scene:note(scene.ours:close())
  end,
  ["is sent to, pinged and closed"] = function(scene)
    scene:opening()
    scene.theirs:send "a"
    scene.theirs:ping "q"
    scene.theirs:close(1012, "restart")
    scene:note(scene.theirs:send "b")
    scene:wait(0.02)
    scene:note(scene.ours:send "late")
  end,
  ["closed without a code"] = function(scene)
    scene:opening()
    scene.theirs:close()
  end,
  ["closes that cross"] = function(scene)
    scene:opening()
    scene.theirs:close(1001, "theirs")
    scene.ours:close(1000, "ours")
  end,
  ["closed from inside its event"] = function(scene)
    scene.on_event = function(event)
      if event == "message" then
        scene:note(scene.ours:close(1000))
      end
    end
    scene:opening()
    scene.theirs:send "a"
    scene.theirs:send "b"
  end,
  ["what came before the answer to a close is still heard"] = function(scene)
    scene:opening()
    scene.theirs:send "a"
    scene.ours:close(1000)
    scene.theirs:send "b"
  end,
  ["aborted by the client"] = function(scene)
    scene:opening()
    scene.ours:send "last"
    scene.ours:abort()
    scene:note(scene.ours:send "later")
    scene:note(scene.ours:phase())
  end,
  ["aborted by the server"] = function(scene)
    scene:opening()
    scene.theirs:send "last"
    scene.theirs:abort()
  end,
  ["reset by the server"] = function(scene)
    scene:opening()
    scene.theirs:send "last"
    scene.theirs:abort(true)
  end,
  ["no answer to the close frame"] = function(scene)
    scene:opening()
    scene.theirs:pause()
    scene.ours:send "unread"
    scene.ours:close(1000)
    scene:wait(0.2)
    scene.theirs:resume()
  end,
  ["paused and resumed"] = function(scene)
    scene:opening()
    scene.ours:pause()
    scene.theirs:send "a"
    scene.theirs:ping "p"
    scene:wait(0.02)
    scene:note(#scene.client)
    scene.ours:resume()
    scene:wait(0.02)
    scene.ours:close(1000)
  end,
  ["closed while it is paused"] = function(scene)
    scene:opening()
    scene.ours:pause()
    scene.theirs:send "a"
    scene.theirs:close(1000, "done")
    scene:wait(0.02)
    scene:note(#scene.client)
    scene.ours:resume()
    scene:wait(0.02)
  end,
  ["closes while it is paused"] = function(scene)
    scene:opening()
    scene.ours:pause()
    scene.theirs:send "a"
    scene:wait(0.02)
    scene.ours:close(1000)
    scene:wait(0.02)
  end,
  ["given back"] = function(scene)
    scene:opening()
    scene.ours:free()
    scene.ours:free()
    scene:note(scene.ours:phase(), scene.ours:send "x")
  end,
  ["collected"] = function(scene)
    scene:opening()
    scene.ours = nil
    collectgarbage()
    collectgarbage()
    scene.theirs:send "still there"
    scene:wait(0.02)
    scene.theirs:close(1000)
  end,
  ["more than the network takes"] = function(scene)
    scene:opening()
    scene.theirs:pause()
    local chunk, count = ("x"):rep(65536), 0
    repeat
      scene.ours:send(chunk)
      count = count + 1
    until scene.ours:pending() > 0 or count > 1000
    scene:note(count <= 1000)
    scene:wait(0.02)
    scene.theirs:resume()
    scene:wait(10, function()
      return scene.client[#scene.client] == "drained"
    end)
    scene.server = {}
  end,
  ["rejected"] = function(scene)
    scene:opening "/503"
  end,
  ["left without an answer"] = function(scene)
    scene:opening "/abort"
  end,
  ["reset instead of an answer"] = function(scene)
    scene:opening "/reset"
  end,
  ["no answer in time"] = function(scene)
    scene:opening("/hold", { upgrade_timeout = 0.05 })
  end,
  ["given up while it waits for the answer"] = function(scene)
    scene:open "/hold"
    scene:wait_for_request()
    scene:note(scene.ours:phase(), scene.ours:send "too early")
    scene:note(scene.ours:close(1000))
    scene:note(scene.ours:phase())
    scene:wait(0.02)
    scene:note((scene.request:respond(200)))
  end,
  ["aborted while it waits for the answer"] = function(scene)
    scene:open "/hold"
    scene:wait_for_request()
    scene.ours:abort()
  end,
  ["given up at once"] = function(scene)
    scene:open "/"
    scene:note(scene.ours:close())
    scene:note(scene.ours:phase())
  end,
  ["given back at once"] = function(scene)
    scene:open "/"
    scene.ours:free()
  end,
  ["codes that cannot be sent"] = function(scene)
    scene:opening()
    for _, code in ipairs { 0, 1002, 1005, 1006, 2000, 5000 } do
      local ok, err = scene.ours:close(code, "x")
      scene:note(code, ok, err and err.kind)
    end
    scene:note((scene.ours:close(1000, ("x"):rep(124))))
    local ok, err = scene.ours:send "\255"
    scene:note(ok, err.kind)
  end,
  ["nobody listens"] = function(scene)
    scene.port = 1
    scene:opening()
  end,
  ["timers"] = function(scene)
    local start = scene.ctx:now()
    local stopped = scene.ctx:timer(0.01, function()
      scene:note "stopped and fired"
    end)
    scene:later(0.02, function()
      scene:note("second", scene.ctx:now() - start > 0.019) -- the loop's clock counts whole milliseconds
      scene:later(0, function()
        scene:note "third"
      end)
    end)
    scene:later(0.01, function()
      scene:note "first"
      stopped:stop()
      stopped:stop()
    end)
    stopped:stop()
    scene:wait(0.05)
  end,
  ["an error in an event function"] = function(scene)
    scene.on_event = function(event)
      if event == "open" then
        error("broken", 0)
      end
    end
    scene:open()
    local ok, err
    repeat
      ok, err = pcall(scene.ctx.step, scene.ctx, 1)
    until not ok
    scene:note(tostring(err):match "broken")
    scene.theirs:send "a"
    scene:wait(0.02)
    scene:note(pcall(function()
      scene.on_event = function()
        scene.ctx:step()
      end
      scene.theirs:send "b"
      scene:wait(0.02)
    end))
    scene.noted[#scene.noted] = scene.noted[#scene.noted]:sub(1, 5)
  end,
}

describe("the virtual core", function()
  local names = {}
  for name in pairs(scenes) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    it("does as the real one: " .. name, function()
      local world = virtual.world()
      world.latency = 0 -- as on the loopback
      assert.are.same(play(real, scenes[name]), play(world.core, scenes[name]))
    end)
  end

  it("knows when nothing can come any more", function()
    local ctx = virtual.world().core.new()
    assert.is_false((pcall(ctx.step, ctx, -1)))
  end)

  it("silences and delays a connection", function()
    local world = virtual.world()
    local ctx, heard, link = world.core.new(), {}, nil
    function world.linked(_, made)
      link = made
    end
    local theirs
    local server = ctx:server({}, function(request)
      theirs = request:accept({}, print)
    end)
    local start = ctx:now()
    ctx:websocket({ url = "ws://127.0.0.1:" .. server:port() }, function(event, data)
      heard[#heard + 1] = event == "message" and ("%s %.1f"):format(data, ctx:now() - start) or nil
      if event == "open" then
        theirs:send "a"
        link:stall(5)
        theirs:send "b"
        ctx:timer(10, function()
          link:silence()
          theirs:send "c"
        end)
      end
    end)
    while not world:still() do
      ctx:step(-1)
    end
    assert.are.same({ "a 5.0", "b 5.0" }, heard)
  end)
end)
