-- A call to an endpoint (wire.md section 4): the handler runs once, its value is the answer, its error a 500 with the traceback.
--
-- A handler that returns an iterator function streams: each item goes out as `data: {json}\n\n`, as Beam's runner does it.
local answer = require "beam.serve.answer"
local compat = require "beam.compat"
local json = require "beam.json"
local payload = require "beam.serve.payload"
local url = require "beam.serve.url"

local endpoint = {}

local high_water = 1024 * 1024 -- bytes of a streamed answer that may wait for a slow client

-- Python's several return values are a tuple, which JSON has as an array.
local function returned_value(results)
  if results.n > 2 then
    return json.array { compat.unpack(results, 2, results.n) }
  end
  return results[2]
end

local function wait_for_client(exchange)
  local driver, request = exchange.server.driver, exchange.request
  while not exchange.gone and (request:pending() or 0) > high_water do
    driver.sleep(0.01)
  end
end

local function event_text(item)
  if type(item) ~= "table" or json.is_array(item) then
    item = { data = item }
  end
  local text, message = json.encode(item)
  return text and "data: " .. text .. "\n\n" or error(message, 0)
end

local function write_items(exchange, iterate, state, item)
  item = iterate(state, item)
  while item ~= nil and not exchange.gone do
    exchange.request:stream_write(event_text(item))
    wait_for_client(exchange)
    item = iterate(state, item)
  end
  return true
end

local function stream(exchange, results, task_header)
  exchange.request:stream_begin(200, { { "content-type", "text/plain; charset=utf-8" }, task_header })
  local ok, err = exchange.server:protect(write_items, exchange, compat.unpack(results, 2, 4))
  if not ok and not exchange.gone then
    exchange.server:log("error", ("%s: the stream failed: %s"):format(exchange.shown, tostring(err)))
    exchange.request:stream_write '{"error":"Internal server error"}\n'
  end
  exchange.request:stream_end()
  exchange:log "200 (streamed)"
end

local function deliver(exchange, results, task_header)
  if type(results[2]) == "function" then
    return stream(exchange, results, task_header)
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
    return exchange:json(500, { error = traceback }, { task_header })
  end
  deliver(exchange, results, task_header)
end

return endpoint
