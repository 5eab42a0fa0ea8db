-- Logs and events over the API: pages of them, and streams with ids that begin where the last one broke off (docs/wire.md section 7).
local ascii = require "beam.base.ascii"
local events = require "beam.serve.app.event_stream"
local json = require "beam.json"
local lossy = require "beam.serve.lossy"
local timestamp = require "beam.serve.api.timestamp"

local journals = {}

local stream_headers = { { "content-type", "text/event-stream" }, { "cache-control", "no-cache" } }

-- ---- Which records ----

local function natural(text)
  return text and tonumber(text:match "^%d+$")
end

local function find_deployment(exchange, field, id)
  for _, deployment in ipairs(exchange.server.app.deployments.list) do
    if deployment[field] == ascii.lower(id) then
      return deployment
    end
  end
end

-- What object_type and object_id mean: a field of the records and its value; nil: there is no such thing.
local of_type = {}

function of_type.deployment(exchange, id)
  local deployment = find_deployment(exchange, "deployment_id", id)
  return deployment and "stub_id", deployment and deployment.id
end

function of_type.stub(exchange, id)
  local deployment = find_deployment(exchange, "id", id)
  return deployment and "stub_id", deployment and deployment.id
end

function of_type.task(exchange, id)
  local task = exchange.server.app.tasks:find(id)
  return task and "task_id", task and task.id
end

function of_type.container(_, id)
  return "container_id", id
end

function of_type.workspace()
  return "workspace", true
end

local fields = { "task_id", "stub_id", "container_id" }

-- The test of a query; or nil, a status and a message.
local function test_of(exchange)
  local query = exchange.query
  local wanted = {}
  for _, name in ipairs(fields) do
    wanted[name] = query[name] and query[name] ~= "" and query[name] or nil
  end
  if query.object_type and query.object_type ~= "" then
    local resolve = of_type[query.object_type]
    if not resolve then
      return nil, 400, "Invalid log object type"
    end
    local field, value = resolve(exchange, query.object_id or "")
    if not field then
      return nil, 404, ""
    end
    wanted[field] = value ~= true and value or nil
  end
  return function(record)
    for name, value in pairs(wanted) do
      if record[name] ~= value then
        return false
      end
    end
    return true
  end
end

local function refuse(exchange, status, message)
  exchange:json(status, { message = message })
end

-- ---- Records as they are shown ----

local function shown(exchange, record)
  local copy = { workspace_id = exchange.workspace.id, timestamp = timestamp.format(record.at) }
  for name, value in pairs(record) do
    copy[name] = name ~= "at" and name ~= "size" and value or nil
  end
  return copy
end

-- ---- Pages ----

-- The newest that fit, the oldest of them first.
local function newest(journal, test, from, count)
  local found = {}
  for number = journal.next - 1, from, -1 do
    local record = journal:get(number)
    if test(record) then
      table.insert(found, 1, record)
    end
    if #found == count then
      break
    end
  end
  return found
end

--- GET /api/v1/logs/{workspace}
function journals.page(exchange)
  local journal, query = exchange.server.app.tasks.logs, exchange.query
  local test, status, message = test_of(exchange)
  local limit = natural(query.limit or query.size or "100")
  local start = query.start_time and timestamp.parse(query.start_time)
  if not test then
    return refuse(exchange, status, message)
  elseif not limit or limit == 0 then
    return refuse(exchange, 400, "Invalid log limit")
  elseif query.start_time and not start then
    return refuse(exchange, 400, "Invalid start time")
  end
  local found = newest(journal, test, start and journal:since(start) or journal.first, math.min(limit, 1000))
  for i, record in ipairs(found) do
    found[i] = shown(exchange, record)
  end
  exchange:json(200, { logs = json.array(found), total_expected = #found, object_id = query.object_id, object_type = query.object_type })
end

-- ---- Streams ----

-- The number that a stream begins with; nil and a message if that cannot be read.
local function beginning(journal, exchange)
  local query, last_id = exchange.query, exchange.headers["last-event-id"]
  if query.seq_num then
    return natural(query.seq_num), "Invalid sequence number"
  elseif last_id and last_id ~= "" then
    local last = natural(last_id)
    return last and last + 1, "Invalid last event ID"
  elseif query.start_time then
    local start = timestamp.parse(query.start_time)
    return start and journal:since(start), "Invalid start time"
  end
  return journal.next
end

local function event_of(exchange, record, name)
  return ("id: %d\nevent: %s\ndata: %s\n\n"):format(record.seq_num, name or record.type, lossy.encode(shown(exchange, record)))
end

-- Waits for more. False: whoever asked does not want to wait any longer.
local function wait(journal, stream, exchange, seconds)
  if seconds == 0 or stream:is_over() then
    return false
  end
  exchange.task = journal -- whoever leaves wakes it
  local more = journal.changed:wait(seconds)
  return not seconds or more
end

local function write_all(exchange, journal, test, number, name)
  local stream, seconds = events.begin(exchange, stream_headers), natural(exchange.query.wait)
  exchange.request:stream_write ": connected\n\n"
  repeat
    number = math.max(number, journal.first)
    while number < journal.next and not stream:is_over() do
      local record = journal:get(number)
      number = number + 1
      if record and test(record) then
        stream:write(event_of(exchange, record, name))
      end
      number = math.max(number, journal.first) -- the writer may have waited
    end
  until stream:is_over() or number >= journal.next and not wait(journal, stream, exchange, seconds)
  stream:finish()
end

local function serve(exchange, journal, test, name)
  local number, message = beginning(journal, exchange)
  if not number then
    return refuse(exchange, 400, message)
  elseif exchange.query.wait and not natural(exchange.query.wait) then
    return refuse(exchange, 400, "Invalid wait")
  end
  write_all(exchange, journal, test, number, name)
end

--- GET /api/v1/logs/{workspace}/stream
function journals.stream(exchange)
  local test, status, message = test_of(exchange)
  if not test then
    return refuse(exchange, status, message)
  end
  serve(exchange, exchange.server.app.tasks.logs, test, "log")
end

-- "tasks/{id}", "stubs/{id}", "containers/{id}"
local function event_test(exchange, path)
  local group, id = path:match "^([a-z]+)s/([^/]+)$"
  if not of_type[group] then
    return nil
  end
  local field, value = of_type[group](exchange, id)
  return field and function(record)
    return record[field] == value
  end
end

--- GET /api/v1/events/{workspace}/{what}/{id}/stream
function journals.events(exchange, path)
  local test = event_test(exchange, path)
  if not test then
    return refuse(exchange, 404, "")
  end
  serve(exchange, exchange.server.app.tasks.events, test)
end

--- GET /api/v1/events/{workspace}/stream
function journals.all_events(exchange)
  serve(exchange, exchange.server.app.tasks.events, function()
    return true
  end)
end

--- What api/init.lua adds to its routes.
journals.routes = {
  { "^/api/v1/logs/([^/]+)/?$", { GET = journals.page }, workspace = true },
  { "^/api/v1/logs/([^/]+)/stream$", { GET = journals.stream }, workspace = true, watching = true },
  { "^/api/v1/events/([^/]+)/stream$", { GET = journals.all_events }, workspace = true, watching = true },
  { "^/api/v1/events/([^/]+)/([a-z]+/[^/]+)/stream$", { GET = journals.events }, workspace = true, watching = true },
}

return journals
