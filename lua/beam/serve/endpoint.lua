-- A call to an endpoint (wire.md section 4): the handler runs once, its value is the answer, its error a 500 with the traceback.
--
-- A handler that returns an iterator function streams: each item goes out as `data: {json}\n\n`, as Beam's runner does it.
local answer = require "beam.serve.answer"
local compat = require "beam.compat"
local events = require "beam.serve.events"
local json = require "beam.json"
local payload = require "beam.serve.payload"
local url = require "beam.serve.url"

local endpoint = {}

-- Python's several return values are a tuple, which JSON has as an array.
local function returned_value(results)
  if results.n > 2 then
    return json.array { compat.unpack(results, 2, results.n) }
  end
  return results[2]
end

local function event_text(item)
  if type(item) ~= "table" or json.is_array(item) then
    item = { data = item }
  end
  local text, message = json.encode(item)
  return text and "data: " .. text .. "\n\n" or error(message, 0)
end

local function write_items(stream, iterate, state, item)
  item = iterate(state, item)
  while item ~= nil and not stream:is_over() do
    stream:write(event_text(item))
    item = iterate(state, item)
  end
  return true
end

local function stream_items(exchange, results, task_header)
  local stream = events.begin(exchange, { { "content-type", "text/plain; charset=utf-8" }, task_header })
  local ok, err = exchange.server:protect(write_items, stream, compat.unpack(results, 2, 4))
  if not ok and not stream:is_over() then
    exchange.server:log("error", ("%s: the stream failed: %s"):format(exchange.shown, tostring(err)))
    stream:write '{"error":"Internal server error"}\n'
  end
  stream:finish()
end

local function deliver(exchange, results, task_header)
  if type(results[2]) == "function" then
    return stream_items(exchange, results, task_header)
  elseif exchange.server.faults:lose_answer(exchange, task_header) then
    return
  end
  local status, headers, body = answer.render(returned_value(results))
  if not status then
    return exchange:json(500, { error = "the handler's result cannot be sent: " .. headers }, { task_header })
  end
  headers[#headers + 1] = task_header
  exchange:respond(status, headers, body)
end

local function traceback_of(err)
  return err.message .. (err.traceback and "\n" .. err.traceback or "")
end

--- Runs the handler of `deployment` for a call.
function endpoint.call(exchange, deployment)
  local input, args = payload.read(exchange.body, exchange.query)
  if not input then
    return exchange:json(400, { error = "invalid request payload" })
  end
  local task_id = url.uuid()
  local task_header = { "x-task-id", task_id }
  local context = { args = args, method = exchange.method, headers = exchange.headers, query = exchange.query, task_id = task_id }
  local results = compat.pack(exchange.server:protect(deployment.handler, input, context))
  if not results[1] then
    local traceback = traceback_of(results[2])
    exchange.server:log("error", ("%s: the handler failed: %s"):format(exchange.shown, traceback))
    if exchange.server.faults:lose_answer(exchange, task_header) then
      return
    end
    return exchange:json(500, { error = traceback }, { task_header })
  end
  deliver(exchange, results, task_header)
end

return endpoint
