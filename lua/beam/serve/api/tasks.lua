-- Tasks over the API, in both flavours: v1 is the gateway's (beta9), v2 the public one (docs/wire.md section 6).
local filters = require "beam.serve.api.filters"
local json = require "beam.json"
local pages = require "beam.serve.api.pages"
local records = require "beam.serve.api.records"
local subscribe = require "beam.serve.api.subscribe"

local api_tasks = {}

local function store_of(exchange)
  return exchange.server.app.tasks
end

local function renderer(exchange, with_result)
  local options = { base = exchange:base(), workspace = exchange.workspace, result = with_result }
  if filters.is_true(exchange.query.skip_details) then
    options.details = false
  end
  return function(task)
    return records.task(task, options)
  end
end

--- GET /api/v1/task/{workspace}, GET /v2/task/
function api_tasks.list(exchange)
  local tasks = filters.tasks(store_of(exchange).list, exchange.query)
  if not tasks then
    return exchange:json(400, { message = "Failed to decode query parameters" })
  end
  local page, status, message = pages.page(tasks, exchange.query, renderer(exchange, false))
  exchange:json(page and 200 or status, page or { message = message })
end

--- GET /api/v1/task/{workspace}/{id}
function api_tasks.get(exchange, id)
  local task = store_of(exchange):find(id)
  if not task then
    return exchange:json(404, { message = "" })
  end
  exchange:json(200, renderer(exchange)(task))
end

--- GET /api/v1/task/{workspace}/{id}/subscribe. beta9 answers an unknown task with 200 and then the error; here it is a 404.
function api_tasks.subscribe(exchange, id)
  local task = store_of(exchange):find(id)
  if not task then
    return exchange:json(404, { message = "" })
  end
  subscribe.serve(exchange, task, renderer(exchange))
end

--- DELETE /api/v1/task/{workspace}?task_ids=a,b: always 200; what stands in a body is not looked at, as in beta9.
function api_tasks.cancel(exchange)
  for id in (exchange.query.task_ids or ""):gmatch "[^,]+" do
    store_of(exchange):cancel(id)
  end
  exchange:json(200, {})
end

--- GET /v2/task/{id}/
function api_tasks.get_v2(exchange, id)
  if not store_of(exchange):find(id) then
    return exchange:json(404, { detail = "Not found." })
  end
  api_tasks.get(exchange, id)
end

--- DELETE /v2/task/cancel/ with {"task_ids": […]}
function api_tasks.cancel_v2(exchange)
  local body = json.decode(exchange.body)
  local ids = type(body) == "table" and body.task_ids or nil
  if type(ids) ~= "table" or not json.is_array(ids) then
    return exchange:json(400, { task_ids = json.array { "This field is required." } })
  end
  for _, id in ipairs(ids) do
    if type(id) == "string" then
      store_of(exchange):cancel(id)
    end
  end
  exchange:json(200, {})
end

return api_tasks
