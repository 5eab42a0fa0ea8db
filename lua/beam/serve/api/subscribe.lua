-- A task watched: GET …/{task}/subscribe, server-sent events without ids and without keep-alive: the state now, then each change, until
-- the task has ended.
local events = require "beam.serve.app.event_stream"
local lossy = require "beam.serve.lossy"

local subscribe = {}

local headers = { { "content-type", "text/event-stream" }, { "cache-control", "no-cache" } }

--- Serves until the task has ended or nobody reads.
---@param exchange table beam/serve/exchange.lua
---@param task beam.serve.task
---@param render fun(task: beam.serve.task): table
function subscribe.serve(exchange, task, render)
  local stream, seen = events.begin(exchange, headers), nil
  exchange.task = task
  while not stream:is_over() do
    if task.status ~= seen then
      seen = task.status
      stream:write("event: status\ndata: " .. lossy.encode(render(task)) .. "\n\n")
    elseif task:is_final() then
      break
    else
      task.changed:wait()
    end
  end
  stream:finish()
end

return subscribe
