-- How a program ends with beam.core in use: each case is a process of its own, and must end by itself, with the status it chose.
local lfs = require "lfs"

local interpreter = lfs.symlinkattributes("/proc/self/exe", "target")
local has_close = _VERSION >= "Lua 5.4"
local closes_at_exit = _VERSION ~= "Lua 5.1" -- os.exit(status, true)

-- A server and a websocket that is open, a request that waits, an exchange, and timers.
local everything = [[
  local core = require "beam.core"
  local ctx = core.new()
  local state, request = {}, nil
  local server = assert(ctx:server({}, function(asked, view)
    if view.upgrade then state.accepted = assert(asked:accept({}, function() end)) else request = asked end
  end))
  local url = "127.0.0.1:" .. server:port()
  local http = assert(ctx:http({ url = "http://" .. url }, function() end))
  local websocket = assert(ctx:websocket({ url = "ws://" .. url }, function(name) state.open = state.open or name == "open" end))
  local timer = ctx:timer(60, function() end)
  while not (state.open and request) do ctx:step(0.05) end
]]

-- Runs it and returns its output and how it ended.
local function execute(code)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(everything, code)
  file:close()
  local pipe = io.popen("timeout 20 '" .. interpreter .. "' '" .. path .. "' 2>&1; echo status $?")
  local output = pipe:read("*a")
  pipe:close()
  os.remove(path)
  return output
end

describe("a program that ends", function()
  it("with everything live", function()
    assert.equal("end\nstatus 0\n", execute 'print "end"')
  end)

  it("with an error, everything live", function()
    local output = execute 'error "on purpose"'
    assert.is_truthy(output:find("on purpose", 1, true))
    assert.is_truthy(output:find("status 1\n$"), output)
  end)

  it("with objects that only finalizers of others hold", function()
    assert.equal(
      "end\nstatus 0\n",
      execute [[
        local meta = { __gc = function() ctx:close() timer:stop() websocket:free() end }
        local holder
        if newproxy then
          holder = newproxy(true)
          getmetatable(holder).__gc = meta.__gc
        else
          holder = setmetatable({}, meta)
        end
        late = holder
        print "end"
      ]]
    )
  end)

  if closes_at_exit then
    it("with os.exit that closes the state, inside an event function", function()
      assert.equal("status 3\n", execute [[
        ctx:timer(0, function() os.exit(3, true) end)
        while true do ctx:step(-1) end
      ]])
    end)
  end

  it("with os.exit inside an event function", function()
    assert.equal("status 4\n", execute [[
      ctx:timer(0, function() os.exit(4) end)
      while true do ctx:step(-1) end
    ]])
  end)

  it("with a coroutine that is inside a callback's resume", function()
    assert.equal(
      "end\nstatus 0\n",
      execute [[
        local co = coroutine.create(function() ctx:step(0) coroutine.yield() end)
        ctx:timer(0, function() coroutine.resume(coroutine.create(function() coroutine.yield() end)) end)
        coroutine.resume(co)
        print "end"
      ]]
    )
  end)

  if has_close then
    it("a scope, having closed what it holds", function()
      assert.equal(
        "beam.context (closed) beam.timer (over) beam.websocket (closed)\nstatus 0\n",
        execute [[
          local kept
          do
            local own <close> = core.new()
            local sleeper <close> = own:timer(60, print)
            local conn <close> = websocket
            kept = { own, sleeper, conn }
          end
          print(tostring(kept[1]) .. " " .. tostring(kept[2]) .. " " .. tostring(kept[3]))
        ]]
      )
    end)

    it("under a generational collector that found everything", function()
      assert.equal(
        "end\nstatus 0\n",
        execute [[
          collectgarbage("generational")
          for i = 1, 200 do
            local own, done = core.new(), nil
            own:timer(0, function() done = own end)
            for _ = 1, 5 do own:timer(60, function() return own end) end
            while not done do own:step(0.05) end
            if i % 3 == 0 then own:close() end
          end
          local before = collectgarbage("count")
          collectgarbage()
          print(collectgarbage("count") < 1000 and "end" or before)
        ]]
      )
    end)
  end

  if jit then -- whose ffi can fork
    it("as a forked child, to which nothing of the parent's belongs", function()
      local output = execute [[
        local ffi = require "ffi"
        ffi.cdef "int fork(void); int waitpid(int child, int *status, int options); void _exit(int status);"
        local child = ffi.C.fork()
        if child == 0 then
          print(select(2, pcall(ctx.step, ctx, 0)))
          print(select(2, ctx:websocket({ url = "ws://" .. url }, function() end)).message)
          websocket:free() http:free() timer:stop() server:close() ctx:close()
          io.stdout:flush()
          ffi.C._exit(0)
        end
        ffi.C.waitpid(child, nil, 0)
        for _ = 1, 5 do ctx:step(0.02) end
        print(websocket:phase(), websocket:send "still here")
      ]]
      local belongs = "the context was made before a fork, by another process: make one here"
      assert.equal(2, select(2, output:gsub(belongs, "")), output)
      assert.is_truthy(output:find("open\ttrue\nstatus 0\n$"), output)
    end)
  end
end)
