-- The page's server-sent events: `state` whenever it has changed (beam/serve/ui/state.lua), `log` for each line, with those before.
-- Looked up four times a second, and only while somebody watches.
local lossy = require "beam.serve.lossy"
local state = require "beam.serve.ui.state"

local feed = {}

local interval = 0.25 -- seconds
local keep_alive = 15 -- seconds without an event, after which a comment says that the stream lives
local high_water = 1024 * 1024 -- bytes that may wait for a slow page

local headers = { { "content-type", "text/event-stream" }, { "cache-control", "no-store" }, { "x-content-type-options", "nosniff" } }

local function write(exchange, name, text)
  exchange.request:stream_write(("event: %s\ndata: %s\n\n"):format(name, text))
end

local function is_slow(exchange)
  return (exchange.request:pending() or 0) >= high_water
end

-- Lines since `seen`; returns the last one's number. A page that does not read gets the newest when it does.
local function write_lines(exchange, seen)
  local lines = exchange.server.lines
  for number = math.max(seen, lines.last - lines.most) + 1, lines.last do
    if is_slow(exchange) then
      return number - 1
    end
    write(exchange, "log", lossy.encode(lines[number % lines.most]))
  end
  return lines.last
end

--- Serves until nobody watches.
---@param exchange table beam/serve/exchange.lua
function feed.serve(exchange)
  local driver, shown, seen = exchange.server.driver, nil, 0
  local said = driver.now()
  exchange:begin(200, headers)
  while not exchange:is_over() do
    local before = shown
    local text = lossy.encode(state.of(exchange.server))
    if text ~= shown and not is_slow(exchange) then
      shown = text
      write(exchange, "state", text)
    end
    local last = write_lines(exchange, seen)
    if shown ~= before or last ~= seen then
      said = driver.now()
    elseif driver.now() - said > keep_alive then
      said = driver.now()
      exchange.request:stream_write ":\n\n"
    end
    seen = last
    exchange:pause(interval)
  end
  exchange.request:stream_end()
end

return feed
