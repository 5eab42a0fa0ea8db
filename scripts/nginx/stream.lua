-- GET /stream?prompt=…: a call whose answer comes piece by piece, as server-sent events. Whoever leaves ends the call.
local beam = require "beam"
local json = require "beam.json"

local stream = {}

local DEPLOYMENT = "generate"

-- One event. False if nobody listens any more.
local function send(name, value)
  return ngx.print("event: ", name, "\ndata: ", json.encode(value), "\n\n") and ngx.flush(true)
end

function stream.answer()
  local prompt = ngx.var.arg_prompt and ngx.unescape_uri(ngx.var.arg_prompt) or ""
  local answer, err = beam.stream { DEPLOYMENT, input = { prompt = prompt, count = 12, delay = 0.08 } }
  ngx.header.content_type = "text/event-stream"
  ngx.header.cache_control = "no-store"
  ngx.header.x_accel_buffering = "no"
  if not answer then
    ngx.log(ngx.ERR, "stream: ", tostring(err))
    return send("failed", { error = err.kind })
  end
  repeat
    local item = answer:next()
  until item == nil or not send("item", item)
  answer:close()
  if answer.err then
    ngx.log(ngx.ERR, "stream: ", tostring(answer.err))
    return send("failed", { error = answer.err.kind })
  end
  send("done", { status = answer.status })
end

return stream
