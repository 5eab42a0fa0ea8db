-- The server of the stream and upload specs (tests/servers/streams.py). It ends by itself when the process that started it does.
local driver = require "beam.driver"

local host = {}

---@return { url: string, count: fun(name: string): integer, stop: fun() }
function host.start(beam)
  local python = os.getenv "BEAM_TEST_PYTHON" or "/usr/bin/python3"
  local pipe = assert(io.popen("exec " .. python .. " tests/servers/streams.py", "r"))
  local port = tonumber((pipe:read "*l" or ""):match "^port=(%d+)$")
  assert(port and pipe:read "*l" == "ready", "tests/servers/streams.py did not start: run it by hand to see why")
  local url = "http://127.0.0.1:" .. port
  local client = assert(beam.client { token = false, timeout = 20 })
  local function count(name)
    return (assert(client.call { url = url, path = "/count?of=" .. name, method = "GET" }))
  end
  return {
    url = url,
    client = client,
    count = count,
    --- Waits until a counter has come to a value.
    await = function(name, value)
      local deadline = driver.now() + 10
      while count(name) ~= value and driver.now() < deadline do
        driver.sleep(0.02)
      end
      return count(name)
    end,
    stop = function()
      pipe:close()
    end,
  }
end

return host
