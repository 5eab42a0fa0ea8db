-- GET /socket: a browser's WebSocket, bridged to a realtime deployment. The browser has no token and needs none.
--
--   browser  <-- lua-resty-websocket -->  this  <-- beam.realtime, with the token -->  Beam
--
-- Two light threads carry messages, one each way; whichever side ends first, ends the other.
local beam = require "beam"
local json = require "beam.json"

local packaged, websocket = pcall(require, "nginx.websocket.server") -- Debian's name of it
if not packaged then
  websocket = require "resty.websocket.server"
end

local bridge = {}

local DEPLOYMENT = "echo"
local LONGEST = 65536 -- bytes of a message
local SILENCE = 20 -- seconds after which the browser is pinged; twice that, and it is gone

-- Browsers let any page open a WebSocket to here, with this site's cookies: only our own pages may.
local function is_own_page()
  local origin = ngx.var.http_origin
  return origin == nil or origin:match "^https?://(.*)$" == ngx.var.http_host
end

-- Browser to Beam, until the browser closes or is lost.
local function forward(browser, conn)
  local silent = 0
  while silent < 2 do
    local data, kind, err = browser:recv_frame()
    if kind == "text" then
      assert(conn:send(data))
    elseif kind == "binary" then
      assert(conn:send_binary(data))
    elseif kind == "ping" then
      browser:send_pong(data)
    elseif kind == "close" or not data and not err:find("timeout", 1, true) then
      return
    end
    silent = data and 0 or silent + 1
    if not data then
      browser:send_ping()
    end
  end
end

-- Beam to browser, until the connection to Beam is closed for good.
local function backward(browser, conn)
  while true do
    local message, err, kind = conn:receive()
    if message == nil then
      return browser:send_close(err.code == 1001 and 1001 or 1011, err.kind)
    end
    local sent
    if kind == "binary" then
      sent = browser:send_binary(message)
    else
      sent = browser:send_text(kind == "json" and json.encode(message) or message)
    end
    if not sent then
      return
    end
  end
end

function bridge.serve()
  if not is_own_page() then
    return ngx.exit(403)
  end
  local conn, err = beam.realtime(DEPLOYMENT)
  if not conn then
    ngx.log(ngx.ERR, "bridge: ", tostring(err))
    return ngx.exit(502)
  end
  local browser, problem = websocket:new { timeout = SILENCE * 1000, max_payload_len = LONGEST }
  if not browser then
    ngx.log(ngx.WARN, "bridge: ", problem)
    conn:close()
    return ngx.exit(400)
  end
  local threads = { ngx.thread.spawn(forward, browser, conn), ngx.thread.spawn(backward, browser, conn) }
  ngx.thread.wait(threads[1], threads[2])
  conn:close(1000, "the browser left")
  ngx.thread.kill(threads[1])
end

return bridge
