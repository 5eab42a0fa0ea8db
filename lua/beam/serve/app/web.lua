-- What an app of kind asgi answers over HTTP, below its address: any method, any path. The handler gets the request; what it returns is the
-- answer: a table as JSON, app.response(status, body, headers), or an iterator, which is streamed as server-sent events: a text is sent as
-- it is, with the fields that it has, anything else as the JSON of an event.
local responses = require "beam.serve.response"
local events = require "beam.serve.app.event_stream"
local json = require "beam.json"

local web = {}

---@class beam.serve.web_request
---@field method string
---@field path string below the app's address, "/v1/models"
---@field port integer? of a pod
---@field query table<string, any>
---@field headers table<string, string> names in lower case
---@field body string
---@field json fun(): any the body, decoded; nil if it is no JSON

local function request_of(exchange, sub_path)
  return {
    method = exchange.method,
    path = sub_path == "" and "/" or sub_path,
    port = exchange.port,
    query = exchange.query,
    headers = exchange.headers,
    body = exchange.body,
    json = function()
      return (json.decode(exchange.body))
    end,
  }
end

local function event_text(item)
  if type(item) == "string" then
    return item
  end
  local text, message = json.encode(item)
  return text and "data: " .. text .. "\n\n" or error(message, 0)
end

local function stream(exchange, iterate, state, item)
  local out = events.begin(exchange, { { "content-type", "text/event-stream" }, { "cache-control", "no-cache" } })
  exchange.stream = out
  item = iterate(state, item)
  while item ~= nil and not out:is_over() do
    out:write(event_text(item))
    item = iterate(state, item)
  end
  out:finish()
end

local function deliver(exchange, first, ...)
  if type(first) == "function" then
    return stream(exchange, first, ...)
  end
  local status, headers, body = responses.render(first)
  if not status then
    return exchange:json(500, { detail = "the answer cannot be sent: " .. headers })
  end
  exchange:respond(status, headers, body)
end

--- Answers a request that is no upgrade.
---@param exchange table beam/serve/exchange.lua
---@param deployment beam.serve.deployment
---@param sub_path string
function web.answer(exchange, deployment, sub_path)
  local handler = deployment.options.http
  if not handler then
    return exchange:json(404, { detail = "Not Found" })
  end
  local ok, err = exchange.server:protect(function()
    deliver(exchange, handler(request_of(exchange, sub_path)))
  end)
  if not ok then
    exchange.server:log("error", ("%s: the handler failed: %s"):format(exchange.shown, tostring(err)))
    if exchange.stream then
      return exchange.stream:break_off()
    end
    exchange:json(500, { detail = "Internal Server Error" })
  end
end

return web
