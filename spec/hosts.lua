-- The servers that are not ours, for specs: uvicorn, nginx with TLS, and one that does everything wrong (tests/servers/serve.py).
-- They end by themselves when the process that started them does.
local hosts = {}

--- Starts them all. Ports and files by name: uvicorn, http, https, mutual, faults, mute, tls_…, black_hole, refused; ca, folder.
---@return table
function hosts.start()
  local python = os.getenv("BEAM_TEST_PYTHON") or "/usr/bin/python3"
  local pipe = assert(io.popen("exec " .. python .. " tests/servers/serve.py", "r"))
  local started = { pipe = pipe }
  for line in pipe:lines() do
    if line == "ready" then
      return started
    end
    local name, value = line:match("^([%w_]+)=(.*)$")
    started[name] = tonumber(value) or value
  end
  error("tests/servers/serve.py did not start: run it by hand to see why")
end

function hosts.stop(started)
  started.pipe:close()
end

return hosts
