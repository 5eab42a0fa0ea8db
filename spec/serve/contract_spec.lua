-- spec/contract.lua, twice: the local Beam gives these answers, and the client sends these requests and understands these answers.
local beam = require "beam"
local contract = require "contract"
local driver = require "beam.driver"
local json = require "beam.json"
local log = require "beam.log"
local serve = require "beam.serve"
local served_http = require "served_http"

local BEARER = "a-token-that-no-message-may-show"

-- ---- Values that stand for others ----

local hex = "%x%x%x%x"
local patterns = {
  uuid = "^" .. hex .. hex .. ("%-" .. hex):rep(4) .. hex .. hex .. "$",
  time = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.?%d*Z$",
  text = ".",
  anything = "",
}

local function fill(value, ids)
  if type(value) == "string" then
    return (value:gsub("{(%l+)}", ids))
  elseif type(value) ~= "table" then
    return value
  end
  local filled = {}
  for key, item in pairs(value) do
    filled[key] = fill(item, ids)
  end
  return setmetatable(filled, getmetatable(value))
end

local function like(expected, actual, partial, where)
  local pattern = type(expected) == "string" and expected:match "^<(.*)>$"
  if pattern then
    local text = type(actual) == "string" and actual or json.encode(actual) or ""
    local found = patterns[pattern] and text:find(patterns[pattern]) or not patterns[pattern] and text:find(pattern, 1, true)
    return found or error(("%s is %s, not %s"):format(where, text, expected), 0)
  elseif type(expected) ~= "table" or type(actual) ~= "table" then
    return expected == actual or error(("%s is %s, not %s"):format(where, json.encode(actual) or tostring(actual), tostring(expected)), 0)
  end
  for key, item in pairs(expected) do
    like(item, actual[key], partial, where .. "." .. tostring(key))
  end
  for key in pairs(partial and {} or actual) do
    assert(expected[key] ~= nil, ("%s.%s is too much"):format(where, tostring(key)))
  end
  return true
end

local function encode(body)
  if type(body) == "table" and next(body) == nil then
    return "{}"
  end
  return type(body) == "table" and json.encode(body) or body
end

-- ---- The local Beam ----

local function local_beam()
  local app = serve.new()
  app.endpoint("multiply", function(input)
    return { result = input.x * 2 }
  end, { inputs = { x = "number" } })
  app.endpoint("fail", function()
    error "it cannot"
  end)
  app.endpoint("poor", function()
    return app.response(404, { message = "You need more tokens" })
  end)
  app.endpoint("asleep", function() end, { active = false })
  app.task_queue("train", function(_, context)
    context.log "epoch 1\nepoch 2\nepoch 3"
    return { loss = 0.5 }
  end)
  app.task_queue("full", function(_, context)
    context.sleep(60)
  end, { max_pending = 1 })
  app.remote_function("resize", function() end)
  return app, assert(app.listen { token = BEARER, log = function() end })
end

local function ids_of(app, server)
  local client = assert(beam.client { gateway = server.url, token = BEARER })
  local task = assert(client.submit("train", {}))
  assert(task:wait(10))
  assert(client.submit("full", {}))
  assert(client.volume("things"):upload(coroutine.wrap(function()
    coroutine.yield "one"
  end), "in/one.txt"))
  local multiply = app.deployments:find { kind = "endpoint", name = "multiply" }
  return {
    ws = server.options.workspace,
    task = task.id,
    deployment = multiply.deployment_id,
    stub = multiply.id,
    container = app.deployments:find({ kind = "taskqueue", name = "train" }):container_id(),
    gateway = server.url,
  }
end

local function header_list(headers)
  local list = {}
  for name, value in pairs(headers or {}) do
    list[#list + 1] = { name, value }
  end
  return list
end

local function ask_local(ask, row, ids)
  local headers = { authorization = "Bearer " .. BEARER }
  for name, value in pairs(row.ask[4] or {}) do
    headers[name] = value ~= "" and value or nil
  end
  local body = encode(row.ask[3])
  return ask(row.ask[1], fill(row.ask[2], ids), { headers = header_list(headers), body = body })
end

describe("the local Beam answers:", function()
  local app, server, ids, ask
  setup(function()
    app, server = local_beam()
    ids, ask = ids_of(app, server), served_http.asker(server)
  end)
  teardown(function()
    app:close()
  end)

  for _, row in ipairs(contract) do
    if row.here ~= false then
      it(row.says, function()
        server:fault(row.here and row.here.fault or nil)
        local status, body, headers = ask_local(ask, row, ids)
        server:fault(nil)
        local answer = fill(row.answer, ids)
        assert.are.equal(answer[1], status, encode(body))
        like(answer[2], body, row.part, "the body")
        for name, value in pairs(answer[3] or {}) do
          like(value, headers[name], false, name)
        end
      end)
    end
  end
end)

-- ---- The client ----

-- Answers the workspace, and each request with the row's answer; keeps what was asked.
local function told_server(state)
  return assert(driver.context():server({}, function(request, view)
    local is_other = view.target == "/api/v1/workspace/current"
    local answer = is_other and { 200, { external_id = state.ids.ws } } or state.answer
    if not is_other then
      state.asked[#state.asked + 1] = view
    end
    local list = header_list(answer[3])
    if not (answer[3] or {})["content-type"] then
      list[#list + 1] = { "content-type", "application/json" }
    end
    request:respond(answer[1], list, answer.streamed or encode(answer[2]))
  end))
end

-- What the client is told, step by step.
local function run(client, steps)
  local at, err = client, nil
  for number, step in ipairs(steps) do
    local arguments = { select(2, (table.unpack or unpack)(step)) } -- luacheck: ignore 143
    if number > 1 then
      table.insert(arguments, 1, at)
    end
    at, err = at[step[1]]((table.unpack or unpack)(arguments)) -- luacheck: ignore 143
  end
  return at, err
end

local function concrete(value)
  if type(value) == "string" then
    return (value:gsub("<uuid>", "3f1b6a0e-1234-4000-8000-00000000abcd"):gsub("<time>", "2026-08-01T10:00:00Z"):gsub("<(.-)>", "%1"))
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, item in pairs(value) do
    copy[key] = concrete(item)
  end
  return copy
end

local function check_request(row, view, ids)
  local ask = fill(row.ask, ids)
  assert.are.same({ ask[1], ask[2] }, { view.method, view.target })
  if type(ask[3]) == "table" then
    assert.are.same(ask[3], json.decode(view.body or ""))
  elseif ask[3] then
    assert.are.equal(ask[3], view.body)
  end
  local headers = {}
  for _, pair in ipairs(view.headers) do
    headers[pair[1]] = pair[2]
  end
  local wanted = { authorization = "Bearer " .. BEARER }
  for name, value in pairs(ask[4] or {}) do
    wanted[name] = value
  end
  for name, value in pairs(wanted) do
    assert.are.equal(value, headers[name] or "", name)
  end
end

describe("the client asks, and understands the answer:", function()
  local server, client
  local state = { asked = {}, ids = {
    ws = "11111111-2222-4333-8444-555555555555",
    task = "22222222-2222-4333-8444-555555555555",
    deployment = "33333333-2222-4333-8444-555555555555",
    stub = "44444444-2222-4333-8444-555555555555",
    container = "taskqueue-44444444-2222-4333-8444-555555555555-a1b2c3d4",
  } }
  setup(function()
    log.to(function() end)
    server = told_server(state)
    driver.attach()
    state.ids.gateway = "http://127.0.0.1:" .. server:port()
    client = assert(beam.client { gateway = state.ids.gateway, token = BEARER, timeout = 10 })
  end)
  teardown(function()
    server:close()
    driver.detach()
    log.to(nil)
  end)

  for _, row in ipairs(contract) do
    if row.does then
      it(row.says, function()
        state.asked, state.answer = {}, fill(concrete(row.answer), state.ids)
        state.answer.streamed = row.streamed and fill(row.streamed, state.ids)
        local value, err = run(client, fill(row.does, state.ids))
        if row.fails and err and err.kind == "timeout" and row.fails.kind ~= "timeout" then
          value, err = run(client, fill(row.does, state.ids)) -- another try was under way when the time was over
        end
        if row.fails then
          assert.is_nil(value)
          like(fill(row.fails, state.ids), err, true, "the error")
        else
          assert.is_not_nil(value, tostring(err))
          like(fill(row.gives, state.ids), value, true, "what it gives")
        end
        check_request(row, state.asked[1], state.ids)
      end)
    end
  end

  it("each row has a source of docs/wire.md", function()
    for _, row in ipairs(contract) do
      assert(row.source:find "^[RCSDKW][ ;,]" or row.source:find "^[RCSDKW]$", row.says)
    end
  end)
end)
