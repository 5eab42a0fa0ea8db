-- How the driver ends: waits after the end of its loop, and signals. Each case is a process of its own.
local lfs = require "lfs"

local interpreter = lfs.symlinkattributes("/proc/self/exe", "target")

-- Runs it, with a shell command that may use $pid after the program has said `ready`. Returns its output, with its status, and seconds.
local function execute(code, command)
  local path, output = os.tmpname(), os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write('local beam = require "beam"\nlocal function ready() io.write "ready\\n" io.stdout:flush() end\n', code)
  file:close()
  local script = ([[
    timeout 120 '%s' '%s' >'%s' 2>&1 &
    timeout=$!
    until grep -q ready '%s'; do sleep 0.05; done
    pid=$(cat /proc/$timeout/task/$timeout/children)
    %s
    wait $timeout
    echo "status $?" >>'%s'
  ]]):format(interpreter, path, output, output, command or "", output)
  os.execute("sh -c '" .. script:gsub("'", [['\'']]) .. "'")
  local told = assert(io.open(output)):read "*a"
  os.remove(path)
  os.remove(output)
  return (told:gsub("^ready\n", ""))
end

local guard = [[
  local compat = require "beam.base.compat"
  late = compat.guard(function()
    print(pcall(%s))
  end)
]]

describe("after the end of the loop", function()
  for _, wait in ipairs { "beam.sleep, 1", "beam.step, 1", "beam.run, beam.sleep, 1", "require('beam.driver').signal().wait, {}, 1" } do
    it("a wait in a finalizer raises: " .. wait, function()
      local got = execute(guard:format(wait) .. "beam.sleep(0)\nready()")
      assert.is_truthy(got:find("^false\t[^\n]*the event loop of this process has ended"), got)
      assert.is_truthy(got:find "status 0\n$", got)
    end)
  end
end)

describe("Ctrl-C in the interpreter", function()
  it("takes effect during a wait", function()
    for _, wait in ipairs { "beam.sleep(90)", "beam.spawn(beam.sleep, 90):join()", "beam.run(function() beam.sleep(90) end)" } do
      local before = os.time()
      local got = execute("ready()\n" .. wait .. "\nprint 'went on'", "sleep 0.7; kill -INT $pid")
      assert.is_truthy(got:find("interrupted!", 1, true), got)
      assert.is_falsy(got:find("went on", 1, true))
      assert.is_true(os.time() - before < 60)
    end
  end)

  it("takes effect at once after a wait has begun", function()
    local got = execute("ready()\nbeam.sleep(90)", "kill -INT $pid")
    assert.is_truthy(got:find("interrupted!", 1, true), got)
  end)

  it("does not shorten a step", function()
    local got = execute [[
      local driver = require "beam.driver"
      beam.sleep(0.01)
      beam.step(0.01) -- what is left of that
      local began = driver.now()
      beam.step(0.4)
      print(driver.now() - began > 0.39)
      ready()
    ]]
    assert.equal("true\nready\nstatus 0\n", got)
  end)
end)

describe("beam.on_signal", function()
  it("calls a function that may wait, and the script goes on", function()
    local got = execute(
      [[
        local ended
        assert(beam.on_signal("TERM", function(name) beam.sleep(0.01) print(name) ended = true end))
        ready()
        while not ended do beam.sleep(0.05) end
        print "done"
      ]],
      "kill -TERM $pid"
    )
    assert.equal("SIGTERM\ndone\nstatus 0\n", got)
  end)

  it("is enough to wait for, and is called each time", function()
    local got = execute(
      [[
        local times = 0
        beam.on_signal("SIGUSR1", function() times = times + 1 print(times) if times == 2 then os.exit(0) end end)
        ready()
        beam.sleep(1e6)
      ]],
      "kill -USR1 $pid; sleep 0.3; kill -USR1 $pid"
    )
    assert.equal("1\n2\nstatus 0\n", got)
  end)

  it("gives a signal its default action back", function()
    local got = execute(
      [[
        beam.on_signal("USR1", print)
        beam.on_signal("USR1", nil)
        ready()
        beam.sleep(10)
      ]],
      "kill -USR1 $pid"
    )
    assert.is_truthy(got:find "^status 138\n$" or got:find "status 138\n$", got)
  end)

  it("lets a program that hangs be ended by the second one", function()
    local got = execute("beam.on_signal('TERM', print) ready() while true do end", "kill -TERM $pid; sleep 0.2; kill -TERM $pid")
    assert.is_truthy(got:find "status 143\n$", got)
  end)

  it("keeps no script from ending, and refuses what is no signal", function()
    local got = execute [[
      beam.on_signal("INT", print)
      ready()
      print(pcall(beam.on_signal, "KILL", print))
      print(pcall(beam.on_signal, "INT", 3))
      beam.run()
    ]]
    assert.is_truthy(got:find("'KILL' is no signal that can be handled", 1, true), got)
    assert.is_truthy(got:find("wants a function, or nil, not a number", 1, true), got)
    assert.is_truthy(got:find "status 0\n$", got)
  end)
end)
