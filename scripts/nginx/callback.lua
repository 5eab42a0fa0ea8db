-- POST /callback: Beam tells that a task has ended. POST /train: submits a task and waits for that; GET /wait?task=ID: waits for it, too.
local beam = require "beam"
local json = require "beam.json"
local semaphore = require "ngx.semaphore"

local callback = {}

local DEPLOYMENT = "train"
local PATIENCE = 60 -- seconds that a request waits
local LOOK = 0.25 -- seconds until it looks at what another worker was told
local KEPT = 600 -- seconds that an outcome is kept for who comes later

local waiting = {} -- by task: a semaphore and how many wait for it; of this worker

local function reply(status, value)
  ngx.status = status
  ngx.header.content_type = "application/json"
  ngx.say(json.encode(value))
end

local function read_body()
  ngx.req.read_body()
  return ngx.req.get_body_data() or ""
end

--- From Beam. What is not Beam's, or is old, is refused: whoever knows the address could send it.
function callback.receive()
  local told, err = beam.callbacks.verify(read_body(), ngx.req.get_headers(), beam.signing_key)
  if not told then
    ngx.log(ngx.WARN, "callback: ", tostring(err))
    return reply(err.kind == "auth" and 401 or 503, { error = err.kind })
  elseif told.task_id then -- the same one may come twice: that changes nothing
    ngx.shared.callbacks:set(told.task_id, json.encode { status = told.status, data = told.data }, KEPT)
    local entry = waiting[told.task_id]
    if entry then
      entry.semaphore:post(entry.count)
    end
  end
  ngx.exit(204)
end

-- Waits until Beam has told of a task, this worker or another one. Nil: it has not.
local function wait_for(id)
  local entry = waiting[id] or { semaphore = semaphore.new(), count = 0 }
  waiting[id] = entry
  entry.count = entry.count + 1
  local deadline = ngx.now() + PATIENCE
  local outcome = ngx.shared.callbacks:get(id)
  while not outcome and ngx.now() < deadline do
    entry.semaphore:wait(LOOK)
    outcome = ngx.shared.callbacks:get(id)
    ngx.update_time()
  end
  entry.count = entry.count - 1
  waiting[id] = entry.count > 0 and entry or nil
  return outcome
end

local function answer(id)
  local outcome = wait_for(id)
  if not outcome then
    return reply(504, { task = id, error = "it has not ended so far: ask /wait?task=" .. id })
  end
  ngx.header["X-Task-Id"] = id
  ngx.header.content_type = "application/json"
  ngx.say(outcome)
end

--- GET /wait?task=ID
function callback.wait()
  local id = ngx.var.arg_task or ""
  if not id:find "^[A-Za-z0-9-]+$" then
    return reply(400, { error = "which task?" })
  end
  answer(id)
end

--- POST /train: the body is the input.
function callback.submit()
  local input = json.decode(read_body())
  if type(input) ~= "table" then
    return reply(400, { error = "the body is no JSON object" })
  end
  input.callback_url = os.getenv "BEAM_CALLBACK_URL" or "http://127.0.0.1:8080/callback"
  local task, err = beam.submit(DEPLOYMENT, input)
  if not task then
    ngx.log(ngx.ERR, "train: ", tostring(err))
    return reply(502, { error = err.kind })
  end
  answer(task.id)
end

return callback
