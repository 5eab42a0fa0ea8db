-- A gigabyte down and a gigabyte up: the memory of this process before, halfway and after, and the speed beside the curl command's, against
-- the same server in the same run. usage: stream_memory.lua [MIB]
local beam = require "beam"
local host = require("stream_host").start(beam)

local mib = tonumber(arg[1]) or 1024
local total = mib * 2 ^ 20
local piece = ("0123456789abcdef"):rep(4096)

-- KiB of this process: now, and the most there ever were.
local function memory()
  local file = assert(io.open("/proc/self/status"))
  local text = file:read "*a"
  file:close()
  return tonumber(text:match "VmRSS:%s*(%d+)"), tonumber(text:match "VmHWM:%s*(%d+)")
end

local clock = require("beam.driver").now

-- What is loaded and made once shall not count.
local function warm_up()
  for _ = 1, 100 do
    assert(host.client.call { url = host.url, path = "/take", body = io.open(arg[0], "rb") })
    for _ in assert(host.client.stream { url = host.url, path = "/flood", input = { mib = 1 }, format = "raw" }) do
    end
  end
end

local function report(what, run, reference)
  collectgarbage()
  local before = memory()
  local began = clock()
  local bytes, middle = run()
  local seconds = clock() - began
  local after, most = memory()
  assert(bytes == total, ("%s: %d of %d bytes"):format(what, bytes, total))
  local figures = "  %-32s RSS %d KiB before, %d halfway, %d after (most ever %d)   %5.0f MiB/s"
  io.write(figures:format(what, before, middle, after, most, mib / seconds))
  if reference then
    local pipe = assert(io.popen(reference))
    local theirs = tonumber(pipe:read "*l")
    pipe:close()
    io.write(theirs and ("   curl %5.0f   %.2f"):format(mib / theirs, theirs / seconds) or "   (no curl to compare)")
  end
  io.write "\n"
end

local function download(input, count)
  input.mib = mib
  return function()
    local format = not input.item and "raw" or nil
    local stream = assert(host.client.stream { url = host.url, path = "/flood", input = input, format = format, timeout = 600 })
    local bytes, middle = 0, nil
    for value, event in stream do
      bytes = bytes + count(value, event)
      middle = middle or bytes > total / 2 and memory() or nil
    end
    assert(not stream.err, tostring(stream.err))
    return bytes, middle
  end
end

local function upload(options)
  return function()
    local middle
    local given = 0
    options.url, options.path, options.timeout = host.url, "/take", 600
    options.body = not options.file and function()
      given = given + #piece
      middle = middle or given > total / 2 and memory() or nil
      return given <= total and piece or nil
    end or nil
    return assert(host.client.call(options)).length, middle or memory()
  end
end

local curl = "curl -s -w '%{time_total}\\n' -H 'Content-Type: application/json' -H Expect: "
local item = 'data: "' .. ("x"):rep(1014) .. '"\n\n' -- 1 KiB
local path = os.tmpname()
local file = assert(io.open(path, "wb"))
for _ = 1, total / #piece do
  file:write(piece)
end
file:close()

warm_up()
print(("%d MiB, %s"):format(mib, jit and jit.version or _VERSION))
report("streamed response, raw", download({}, function(bytes)
  return #bytes
end), ("%s -o /dev/null -d '{\"mib\":%d}' %s/flood"):format(curl, mib, host.url))
report("streamed response, 1 KiB items", download({ item = item }, function(_, event)
  return #event.data + 8
end))
report("upload of a file", upload { file = path }, ("%s -o /dev/null -X POST -T %s %s/take"):format(curl, path, host.url))
report("upload from a function, chunked", upload {}, ("%s -o /dev/null -X POST -T - %s/take < %s"):format(curl, host.url, path))
os.remove(path)
host.stop()
