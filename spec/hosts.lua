-- The servers that are not ours, for specs: uvicorn, nginx with TLS, and one that does everything wrong (tests/servers/serve.py).
-- They end by themselves when the process that started them does.
local hosts = {}

local function open(program)
  return assert(io.popen("exec " .. (os.getenv "BEAM_TEST_PYTHON" or "/usr/bin/python3") .. " " .. program, "r"))
end

-- What the program prints until it is ready.
local function start(program)
  local pipe = open(program)
  local started = { pipe = pipe }
  for line in pipe:lines() do
    if line == "ready" then
      return started
    end
    local name, value = line:match("^([%w_]+)=(.*)$")
    started[name] = tonumber(value) or value
  end
  error(program .. " did not start: run it by hand to see why")
end

--- Starts them all. Ports and files by name: uvicorn, http, https, mutual, faults, mute, tls_…, black_hole, refused; ca, folder.
---@return table
function hosts.start()
  return start "tests/servers/serve.py"
end

--- A server and proxies with unusual heads. Ports by name: server, proxy_….
---@return table
function hosts.start_heads()
  return start "tests/servers/heads.py"
end

--- Starts a proxy in front of a port: so many bytes a second each way. `port`: its own.
---@return table
function hosts.start_slow_proxy(port, bytes_a_second)
  return start(("tests/servers/slow_proxy.py %d %d"):format(port, bytes_a_second))
end

--- A port for a server that goes and comes again: the kernel gives it to nobody meanwhile (tests/servers/ports.py).
---@return integer
function hosts.free_port()
  local pipe = open "tests/servers/ports.py"
  local port = pipe:read "*n"
  pipe:close()
  return assert(port, "no port is free")
end

function hosts.stop(started)
  started.pipe:close()
end

return hosts
