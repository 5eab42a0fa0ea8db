-- POST /ask: a JSON object goes to a realtime deployment and its answer comes back, over connections that all requests of a worker share.
local beam = require "beam"
local json = require "beam.json"

local ask = {}

local DEPLOYMENT = "echo"
local CONNECTIONS = 2 -- for each worker; a Beam container serves one at a time, unless told otherwise
local PATIENCE = 30 -- seconds for an answer

local opening -- the task that opens the pool

--- In init_worker: opens the pool in the background, so that the first request need not wait for a cold start.
function ask.open()
  opening = beam.spawn(beam.pool, DEPLOYMENT, { size = CONNECTIONS })
end

local function shared_pool()
  local pool, err = opening:join(PATIENCE)
  if not pool and err.kind ~= "timeout" then
    ask.open() -- for the next request
  end
  return pool, err
end

local function reply(status, value)
  ngx.status = status
  ngx.header.content_type = "application/json"
  ngx.say(json.encode(value))
end

-- What went wrong is for the log; who asked is told what it means to him.
local function refuse(err)
  ngx.log(ngx.ERR, "ask: ", tostring(err))
  local status = ({ timeout = 504, queue_full = 503, closed = 503 })[err.kind] or 502
  return reply(status, { error = err.kind })
end

local function read_body()
  ngx.req.read_body()
  local value = json.decode(ngx.req.get_body_data() or "")
  return type(value) == "table" and value or nil
end

function ask.answer()
  if ngx.req.get_method() ~= "POST" then
    ngx.header.allow = "POST"
    return reply(405, { error = "POST a JSON object" })
  end
  local message = read_body()
  if not message then
    return reply(400, { error = "the body is no JSON object" })
  end
  local pool, err = shared_pool()
  if not pool then
    return refuse(err)
  end
  local started = ngx.now()
  local answer
  answer, err = pool:request(message, { timeout = PATIENCE })
  if answer == nil then
    return refuse(err)
  end
  ngx.update_time()
  reply(200, { answer = answer, milliseconds = math.floor((ngx.now() - started) * 1000 + 0.5), worker = ngx.worker.pid() })
end

return ask
