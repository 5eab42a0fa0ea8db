-- Lines of standard input, read beside everything else: each case is a process of its own, with a standard input that it is given.
local lfs = require "lfs"

local interpreter = lfs.symlinkattributes("/proc/self/exe", "target")

-- Runs `code` with the output of the shell command `feed` as its standard input; returns what it printed.
local function execute(feed, code)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write('local beam = require "beam"\n', code)
  file:close()
  local pipe = io.popen(feed:format(("timeout 90 '%s' '%s' 2>&1; echo status $?"):format(interpreter, path)))
  local output = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return output
end

local read_all = [[
  repeat
    local line, err = beam.read_line()
    print(line or "end", err)
  until not line
]]

describe("lines of standard input", function()
  it("come from a pipe, the last one without its end too", function()
    assert.equal("a\tnil\nb c\tnil\n\tnil\nlast\tnil\nend\tnil\nstatus 0\n", execute("printf 'a\\r\\nb c\\n\\nlast' | (%s)", read_all))
  end)

  it("come from a file, and from /dev/null", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    for i = 1, 20000 do
      file:write(i, "\n")
    end
    file:close()
    local code = "local n, sum = 0, 0; for line in beam.lines() do n, sum = n + 1, sum + tonumber(line) end print(n, sum)"
    assert.equal("20000\t200010000\nstatus 0\n", execute("(%s) < " .. path, code))
    os.remove(path)
    assert.equal("end\tnil\nstatus 0\n", execute("(%s) < /dev/null", read_all))
  end)

  -- The line comes when it has been waited for in vain, and when the coroutine beside has run, however long that took.
  it("are waited for without holding up the rest", function()
    local go = os.tmpname()
    os.remove(go)
    local code = ([[
      local ticks = 0
      local line, err = beam.read_line(0.01)
      print(line, err.kind)
      beam.spawn(function()
        while ticks < 3 do beam.sleep(0.02) ticks = ticks + 1 end
        io.open("%s", "w"):close()
      end)
      print(beam.read_line(60), ticks)
    ]]):format(go)
    local feed = ("(while [ ! -e %s ]; do sleep 0.05; done; echo late) | (%%s)"):format(go)
    assert.equal("nil\ttimeout\nlate\t3\nstatus 0\n", execute(feed, code))
    os.remove(go)
  end)

  it("leave standard input blocking, for who shares it", function()
    local code = [[
      beam.read_line()
      local flags = io.open("/proc/self/fdinfo/0"):read("*a"):match "flags:%s*(%d+)"
      print(math.floor(tonumber(flags, 8) / 2048) % 2 == 1)
    ]]
    assert.equal("false\nstatus 0\n", execute("echo x | (%s)", code)) -- O_NONBLOCK is 2048
  end)

  it("are bounded, and may not be readable", function()
    local code = "local line, err = beam.read_line() print(line, err.kind, err.message)"
    local long = execute("head -c 3000000 /dev/zero | (%s)", code)
    assert.equal("nil\ttoo_large\ta line of standard input is over 1048576 bytes\nstatus 0\n", long)
    assert.equal("nil\tinvalid\tstandard input cannot be read: Is a directory\nstatus 0\n", execute("(%s) < /", code))
    local loop = "print(pcall(function() for line in beam.lines() do print(line) end end))"
    long = execute("(echo first; head -c 3000000 /dev/zero; echo) | (%s)", loop)
    assert.equal("first\nfalse\ttoo_large: a line of standard input is over 1048576 bytes\nstatus 0\n", long)
  end)
end)
