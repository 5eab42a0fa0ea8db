-- The page of the local Beam: GET / is one file, baked in, that needs no network; what it shows and switches goes over /local/….
--
--   page.lua       the file, put together of markup.lua, style.lua and program*.lua
--   state.lua      what is deployed, connected and done, as the page shows it
--   feed.lua       the same as server-sent events, with the log
--
-- Its requests pass the door (Host, Origin) and the credentials like all others, but not the faults on demand.
local feed = require "beam.serve.ui.feed"
local json = require "beam.json"
local page = require "beam.serve.ui.page"

local ui = {}

local function show_page(exchange)
  exchange:respond(200, page.render())
end

-- The body as a table, or nil after a 400.
local function read_body(exchange)
  local body = json.decode(exchange.body)
  if type(body) == "table" then
    return body
  end
  exchange:json(400, { message = "a JSON object is wanted" })
end

-- {"faults": "cold=3s,slots=1"}: from now on these.
local function set_faults(exchange)
  local body = read_body(exchange)
  if not body then
    return
  end
  local ok, problem = exchange.server:try_fault(type(body.faults) == "string" and body.faults or nil)
  if not ok then
    return exchange:json(400, { message = problem })
  end
  exchange:json(200, { faults = exchange.server.faults_given })
end

-- {"fault": "reset", "connection": 7}: now, to that connection.
local function inflict(exchange)
  local body = read_body(exchange)
  if not body then
    return
  end
  local ok, count = pcall(exchange.server.inflict, exchange.server, body.fault, function(session)
    return session.number == body.connection
  end)
  if not ok then
    return exchange:json(400, { message = "there is no such fault for a connection" })
  end
  exchange:json(200, { count = count })
end

local routes = {
  ["/"] = { public = true, GET = show_page },
  ["/local/events"] = { GET = feed.serve },
  ["/local/faults"] = { POST = set_faults },
  ["/local/inflict"] = { POST = inflict },
}

--- What of the page a path means; nil: nothing.
---@param path string
---@return { public: boolean? }?
function ui.find(path)
  return routes[path]
end

--- Answers a request that was let in.
---@param exchange table beam/serve/exchange.lua
---@param route table
function ui.answer(exchange, route)
  exchange.silent = true -- the page is no traffic of anybody's
  if not route[exchange.method] then
    return exchange:json(405, { message = "Method Not Allowed" })
  end
  route[exchange.method](exchange)
end

return ui
