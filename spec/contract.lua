-- What Beam is asked and what it answers, as data: spec/contract_spec.lua holds the local Beam and the client against the same rows, so that
-- the two cannot agree with each other and be wrong together. Written from the facts in docs/wire.md; no row comes from what either does.
--
--   ask      { method, path, body, headers }: what goes over the wire. The token is BEARER unless `headers` says otherwise
--   answer   { status, body, headers }: texts in <> stand for any such value; `part = true`: there may be more in the body
--   does     what the client is told: { method, arguments… }, and methods of what that gave; nil: the client never asks this
--   gives    what comes of it; or fails: fields of the error
--   here     what the local Beam needs: `fault`; false: it never gives this answer (its handlers have no runner beside them)
--   source   the mark of docs/wire.md, and where in beta9's source of 2026-08-19, or which document, it stands
--
-- {ws} {task} {deployment} {stub} {container} are ids, {gateway} is the address. streamed: the answer's text for the client, in its place.
local task_path = "/api/v1/task/{ws}/{task}"

local function of_runner(status, detail, retryable)
  return {
    says = "the runner: " .. detail,
    source = "S sdk/src/beta9/middleware.py",
    ask = { "POST", "/endpoint/multiply", { x = 12 } },
    answer = { status, { detail = detail }, { ["x-task-id"] = "{task}" } },
    does = { { "call", "multiply", { x = 12 }, { retry = false } } },
    fails = { kind = "http", status = status, executed = "no", retryable = retryable, task_id = "{task}" },
    here = false,
  }
end

local function refused(says, source, status, body, executed, retryable, fault)
  return {
    says = says,
    source = source,
    ask = { "POST", "/endpoint/multiply", { x = 12 } },
    answer = { status, body },
    does = { { "call", "multiply", { x = 12 }, { retry = false } } },
    fails = { kind = "http", status = status, executed = executed, retryable = retryable },
    here = { fault = fault },
  }
end

local function unauthorized(says, source, authorization, token)
  return {
    says = says,
    source = source,
    ask = { "POST", "/endpoint/multiply", { x = 12 }, { authorization = authorization } },
    answer = { 401, { message = "Unauthorized" } },
    does = { { "call", "multiply", { x = 12 }, { retry = false, token = token } } },
    fails = { kind = "http", status = 401, executed = "no", retryable = false },
  }
end

return {
  -- ---- Calls ----
  {
    says = "a call",
    source = "C; S pkg/abstractions/endpoint/http.go",
    ask = { "POST", "/endpoint/multiply", { x = 12 } },
    answer = { 200, { result = 24 } },
    does = { { "call", "multiply", { x = 12 } } },
    gives = { result = 24 },
  },
  {
    says = "a call of a version",
    source = "S pkg/abstractions/endpoint/http.go",
    ask = { "POST", "/endpoint/multiply/v1", { x = 2 } },
    answer = { 200, { result = 4 } },
    does = { { "call", "multiply/v1", { x = 2 } } },
    gives = { result = 4 },
  },
  {
    says = "a call of the latest version",
    source = "S pkg/abstractions/endpoint/http.go",
    ask = { "POST", "/endpoint/multiply/latest", { x = 2 } },
    answer = { 200, { result = 4 } },
    does = { { "call", "multiply/latest", { x = 2 } } },
    gives = { result = 4 },
  },
  {
    says = "a call by the stub's id",
    source = "S pkg/abstractions/endpoint/http.go",
    ask = { "POST", "/endpoint/id/{stub}", { x = 2 } },
    answer = { 200, { result = 4 } },
    does = { { "call", "{stub}", { x = 2 } } },
    gives = { result = 4 },
  },
  {
    says = "query parameters win over the body",
    source = "S pkg/task/http.go",
    ask = { "POST", "/endpoint/multiply?x=3", { x = 2 } },
    answer = { 200, { result = 6 } },
    does = { { "call", { "multiply", path = "?x=3", input = { x = 2 } } } },
    gives = { result = 6 },
  },
  {
    says = "kwargs are the arguments, and what stands beside them is dropped",
    source = "S pkg/task/http.go",
    ask = { "POST", "/endpoint/multiply", { x = 9, kwargs = { x = 2 } } },
    answer = { 200, { result = 4 } },
    does = { { "call", "multiply", { x = 9, kwargs = { x = 2 } } } },
    gives = { result = 4 },
  },
  {
    says = "input that does not fit",
    source = "S sdk/src/beta9/runner/endpoint.py",
    ask = { "POST", "/endpoint/multiply", { y = 1 } },
    answer = { 200, { error = "ValidationError", message = "<text>", field = "x" } },
    does = { { "call", "multiply", { y = 1 } } },
    fails = { kind = "validation", status = 200, executed = "no", retryable = false },
  },
  {
    says = "a body that is no object",
    source = "S pkg/task/http.go",
    ask = { "POST", "/endpoint/multiply", "[1]" },
    answer = { 400, { error = "invalid request payload" } },
    does = { { "call", { "multiply", raw = true, input = "[1]", retry = false } } },
    fails = { kind = "http", status = 400, executed = "no", retryable = false },
  },
  {
    says = "a handler that failed",
    source = "S sdk/src/beta9/runner/endpoint.py; W",
    ask = { "POST", "/endpoint/fail", {} },
    answer = { 500, { error = "<text>" } },
    does = { { "call", "fail", {} } },
    fails = { kind = "http", status = 500, executed = "yes", retryable = false },
  },
  {
    says = "an answer of the handler's own",
    source = "C, custom response codes",
    ask = { "POST", "/endpoint/poor", {} },
    answer = { 404, { message = "You need more tokens" }, { ["x-task-id"] = "<text>" } },
    does = { { "call", "poor", {} } },
    fails = { kind = "http", status = 404, executed = "yes", retryable = false },
  },

  -- ---- Refusals ----
  unauthorized("a wrong token", "S pkg/auth/middleware.go", "Bearer wrong", "wrong"),
  unauthorized("no credentials", "S pkg/auth/middleware.go", "", false),
  {
    says = "a name that nothing has",
    source = "S pkg/abstractions/common/route.go",
    ask = { "POST", "/endpoint/nothing", {} },
    answer = { 400, { message = "Invalid deployment" } },
    does = { { "call", "nothing", {} } },
    fails = { kind = "http", status = 400, executed = "no", retryable = false },
  },
  {
    says = "a deployment that was stopped",
    source = "S pkg/abstractions/common/route.go",
    ask = { "POST", "/endpoint/asleep", {} },
    answer = { 400, { message = "Deployment is not active" } },
    does = { { "call", "asleep", {} } },
    fails = { kind = "http", status = 400, executed = "no", retryable = false },
  },
  {
    says = "a DELETE to an endpoint",
    source = "S pkg/abstractions/endpoint/http.go",
    ask = { "DELETE", "/endpoint/multiply", {} },
    answer = { 405, { message = "Method Not Allowed" } },
    does = { { "call", { "multiply", method = "DELETE" } } },
    fails = { kind = "http", status = 405, executed = "no", retryable = false },
  },
  refused("too many calls wait", "S pkg/abstractions/endpoint/buffer.go", 429, { error = "Request queue full" }, "no", true, "status=429:1"),
  refused("no compute", "S pkg/abstractions/endpoint/buffer.go", 503, { error = "<No compute capacity>" }, "no", true, "status=503:1"),
  refused("no container in time", "S pkg/abstractions/endpoint/buffer.go", 504,
    { error = "Timed out waiting for a backend container" }, "no", true, "status=504:1"),
  refused("a lost container", "S pkg/abstractions/endpoint/buffer.go", 502,
    { error = "Backend route unavailable" }, "unknown", false, "status=502:1"),
  of_runner(409, "Gateway rejected task start", false),
  of_runner(503, "Container task lifecycle capacity exhausted", true),
  of_runner(503, "Gateway temporarily unavailable while starting task", true),
  of_runner(502, "Gateway failed to start task", true),
  of_runner(400, "Task ID missing", false),

  -- ---- Warm-up ----
  {
    says = "a warm-up",
    source = "S pkg/abstractions/endpoint/http.go",
    ask = { "POST", "/endpoint/multiply/warmup" },
    answer = { 200, "" },
    does = { { "deployment", "multiply" }, { "warmup" } },
    gives = true,
  },

  -- ---- Tasks ----
  {
    says = "a submission",
    source = "S pkg/abstractions/taskqueue/http.go",
    ask = { "POST", "/taskqueue/train", { steps = 1 } },
    answer = { 200, { task_id = "<uuid>" } },
    does = { { "submit", "train", { steps = 1 } } },
    gives = { id = "<uuid>" },
  },
  {
    says = "a queue that is full",
    source = "S pkg/abstractions/taskqueue/http.go",
    ask = { "POST", "/taskqueue/full", {} },
    answer = { 429, { error = "exceeded max pending tasks: 1" } },
    does = { { "submit", "full", {}, { retry = false } } },
    fails = { kind = "http", status = 429, executed = "no", retryable = true },
  },
  {
    says = "a function at the workspace's limit",
    source = "S pkg/abstractions/function/http.go, pkg/types/scheduler.go",
    ask = { "POST", "/function/resize", {} },
    answer = { 500, { error = "concurrency_limit_reached: cpu" } },
    does = { { "submit", { "resize", kind = "function", retry = false } } },
    fails = { kind = "http", status = 500, executed = "no", retryable = true },
    here = false,
  },
  {
    says = "a task",
    source = "S pkg/api/v1/task.go; D",
    ask = { "GET", task_path },
    answer = { 200, { id = "{task}", status = "COMPLETE", result = { loss = 0.5 }, created_at = "<time>", started_at = "<time>", ended_at = "<time>" } },
    part = true,
    does = { { "task", "{task}" }, { "status" } },
    gives = "COMPLETE",
  },
  {
    says = "a task that nobody knows",
    source = "S pkg/api/v1/task.go",
    ask = { "GET", "/api/v1/task/{ws}/00000000-0000-4000-8000-000000000000" },
    answer = { 404, { message = "" } },
    does = { { "task", "00000000-0000-4000-8000-000000000000" }, { "status" } },
    fails = { kind = "http", status = 404, executed = "no", retryable = false },
  },
  {
    says = "the states of a task",
    source = "S pkg/api/v1/task.go",
    ask = { "GET", task_path .. "/subscribe", nil, { accept = "text/event-stream" } },
    answer = { 200, "<event: status>", { ["content-type"] = "<text/event-stream>" } },
  },
  {
    says = "cancelling: 200 whatever becomes of it",
    source = "S pkg/api/v1/task.go",
    ask = { "DELETE", "/api/v1/task/{ws}?task_ids={task}" },
    answer = { 200, "<anything>" },
  },
  {
    says = "the public API's task",
    source = "D Task API",
    ask = { "GET", "/v2/task/{task}/" },
    answer = { 200, { id = "{task}", status = "COMPLETE" } },
    part = true,
  },

  -- ---- Logs and events ----
  {
    says = "a page of logs",
    source = "S pkg/api/v1/logs.go, pkg/types/event.go",
    ask = { "GET", "/api/v1/logs/{ws}?limit=2&object_id={task}&object_type=task" },
    answer = { 200, { logs = { { message = "epoch 2", stream = "stdout", task_id = "{task}" }, { message = "epoch 3", task_id = "{task}" } } } },
    part = true,
    -- asked by task:wait { logs = 2 }: spec/logs_spec.lua
  },
  {
    says = "a stream of logs",
    source = "S pkg/api/v1/logs.go",
    ask = {
      "GET",
      "/api/v1/logs/{ws}/stream?object_id={task}&object_type=task&start_time=2026-01-01T00%3A00%3A00Z&wait=1",
      nil,
      { accept = "text/event-stream" },
    },
    answer = { 200, "<event: log>", { ["content-type"] = "<text/event-stream>" } },
    streamed = ': connected\n\nid: 7\nevent: log\ndata: {"seq_num":7,"message":"epoch 1","task_id":"{task}"}\n\n',
    does = { { "logs", { task = "{task}", since = "2026-01-01T00:00:00Z" } }, { "next" } },
    gives = "epoch 1",
  },
  {
    says = "a stream of logs that goes on behind what came",
    source = "S pkg/api/v1/logs.go",
    ask = { "GET", "/api/v1/logs/{ws}/stream?object_type=task&object_id={task}&wait=0", nil, { ["last-event-id"] = "999999" } },
    answer = { 200, ": connected\n\n", { ["content-type"] = "<text/event-stream>" } },
  },
  {
    says = "logs of what is not there",
    source = "S pkg/api/v1/logs.go",
    ask = { "GET", "/api/v1/logs/{ws}/stream?object_type=task&object_id=00000000-0000-4000-8000-000000000000" },
    answer = { 404, { message = "" } },
  },
  {
    says = "a query of logs that cannot be read",
    source = "S pkg/api/v1/logs.go",
    ask = { "GET", "/api/v1/logs/{ws}/stream?seq_num=first" },
    answer = { 400, { message = "Invalid sequence number" } },
  },
  {
    says = "the events of a container",
    source = "S pkg/api/v1/events.go, pkg/types/event.go",
    ask = { "GET", "/api/v1/events/{ws}/containers/{container}/stream?seq_num=0&wait=1", nil, { accept = "text/event-stream" } },
    answer = { 200, "<event: task.updated>", { ["content-type"] = "<text/event-stream>" } },
    streamed = 'id: 3\nevent: task.updated\ndata: {"seq_num":3,"type":"task.updated","data":{"status":"RUNNING"}}\n\n',
    does = { { "events", { container = "{container}" } }, { "next" } },
    gives = "task.updated",
  },

  -- ---- Callbacks ----
  {
    says = "the key that callbacks are signed with",
    source = "S pkg/api/v1/token.go",
    ask = { "GET", "/api/v1/token/{ws}/signing-key" },
    answer = { 200, { signing_key = "<text>" } },
    does = { { "signing_key" } },
    gives = "text",
  },

  -- ---- Volumes ----
  {
    says = "a URL to upload to",
    source = "S pkg/abstractions/volume/http.go",
    ask = { "GET", "/volume/{ws}/generate-upload-url/data/a%20b%2Bc.bin" },
    answer = { 200, "<http://>" },
  },
  {
    says = "what is in a volume",
    source = "S pkg/abstractions/volume/http.go, volume.go",
    ask = { "GET", "/volume/{ws}/ls/things/in" },
    answer = { 200, { { path = "in/one.txt", size = 3, mod_time = "<anything>", is_dir = false } } },
    does = { { "volume", "things" }, { "list", "in" } },
    gives = { { path = "in/one.txt", size = 3, is_dir = false } },
  },
  {
    says = "a volume that is none",
    source = "S pkg/abstractions/volume/volume.go",
    ask = { "GET", "/volume/{ws}/ls/nothing" },
    answer = { 500, { message = "Failed to list path: unable to find volume" } },
    does = { { "volume", "nothing" }, { "list", "", { timeout = 0.2 } } },
    fails = { kind = "http", status = 500, executed = "no" },
  },
  {
    says = "a path is moved through the gateway's other API",
    source = "S pkg/abstractions/volume/volume.proto",
    ask = { "POST", "/api/v1/gateway/volumes/things%2Fnone/move", { new_path = "things/two" } },
    answer = { 200, { ok = false, err_msg = "<text>", new_path = "" } },
    does = { { "volume", "things" }, { "move", "none", "two" } },
    fails = { kind = "http", status = 200, executed = "no" },
  },
  {
    says = "the route that moves nothing",
    source = "S pkg/abstractions/volume/http.go",
    ask = { "PATCH", "/volume/{ws}/mv/things/in" },
    answer = { 200, "" },
  },
  {
    says = "what is removed",
    source = "S pkg/abstractions/volume/http.go",
    ask = { "DELETE", "/volume/{ws}/rm/things/other" },
    answer = { 200, "<null>" },
    does = { { "volume", "things" }, { "remove", "other" } },
    gives = true,
  },

  -- ---- Containers ----
  {
    says = "the containers",
    source = "S pkg/api/v1/container.go",
    ask = { "GET", "/api/v1/container/{ws}" },
    answer = { 200, { { container_id = "<text>", stub_id = "<uuid>", status = "<text>" } } },
    part = true,
    does = { { "containers" } },
    gives = { { stub_id = "<uuid>" } },
  },
  {
    says = "a container that is none",
    source = "S pkg/api/v1/container.go",
    ask = { "POST", "/api/v1/container/{ws}/nothing/stop" },
    answer = { 400, { message = "Invalid container id" } },
    does = { { "container", "nothing" }, { "stop" } },
    fails = { kind = "http", status = 400, executed = "no" },
  },
  {
    says = "a deployment that cannot be scaled",
    source = "S pkg/gateway/services/deployment.go",
    ask = { "POST", "/api/v1/gateway/deployments/{deployment}/scale", { containers = 2 } },
    answer = { 200, { ok = false, err_msg = "This type of deployment cannot be scaled directly." } },
  },
  {
    says = "a deployment to stop that is none",
    source = "S pkg/api/v1/deployment.go",
    ask = { "POST", "/api/v1/deployment/{ws}/stop/00000000-0000-4000-8000-000000000000" },
    answer = { 400, { message = "Deployment not found" } },
  },

  -- ---- The workspace and its deployments ----
  {
    says = "the token's workspace",
    source = "S pkg/api/v1/workspace.go",
    ask = { "GET", "/api/v1/workspace/current" },
    answer = { 200, { external_id = "{ws}" } },
    part = true,
  },
  {
    says = "another workspace than the token's",
    source = "S pkg/auth/middleware.go",
    ask = { "GET", "/api/v1/task/00000000-0000-4000-8000-000000000000/{task}" },
    answer = { 401, "<anything>" },
  },
  {
    says = "a page of deployments",
    source = "S pkg/api/v1/deployment.go, pkg/types/filters.go",
    ask = { "GET", "/api/v1/deployment/{ws}?active=true&limit=100&name=multiply&pagination=true" },
    answer = { 200, { data = { { id = "{deployment}", name = "multiply", version = 1, active = true, stub_type = "endpoint/deployment" } }, next = "" } },
    part = true,
    does = { { "deployments", { name = "multiply", active = true } }, { "next" } },
    gives = { name = "multiply", version = 1, kind = "endpoint", id = "{deployment}", active = true },
  },
  {
    says = "a deployment",
    source = "S pkg/api/v1/deployment.go",
    ask = { "GET", "/api/v1/deployment/{ws}/{deployment}" },
    answer = { 200, { id = "{deployment}", name = "multiply", version = 1, stub = { id = "{stub}" } } },
    part = true,
    does = { { "deployment", "{deployment}" }, { "fetch" } },
    gives = { name = "multiply", version = 1, id = "{deployment}", stub_id = "{stub}" },
  },
  {
    says = "a deployment's address",
    source = "S pkg/api/v1/deployment.go, pkg/common/url.go",
    ask = { "GET", "/api/v1/deployment/{deployment}/url" },
    answer = { 200, { url = "{gateway}/endpoint/multiply/v1" } },
    does = { { "deployment", "{deployment}" }, { "url" } },
    gives = "{gateway}/endpoint/multiply/v1",
  },
  {
    says = "a deployment that is none",
    source = "S pkg/api/v1/deployment.go",
    ask = { "GET", "/api/v1/deployment/00000000-0000-4000-8000-000000000000/url" },
    answer = { 400, { message = "Invalid deployment ID" } },
  },
}
