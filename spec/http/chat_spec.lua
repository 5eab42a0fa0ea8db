-- Chat completions: text as it comes, tool calls put together, usage, [DONE], errors within; asked of an app two segments below its address.
local beam = require "beam"
local json = require "beam.json"
local log = require "beam.log"
local serve = require "beam.serve"

local TOKEN = "a-token-that-no-message-may-show"

local function data(value)
  return "data: " .. (type(value) == "string" and value or json.encode(value)) .. "\n\n"
end

local function delta(fields, finish)
  return data { object = "chat.completion.chunk", model = "tiny", choices = { { index = 0, delta = fields, finish_reason = finish or json.null } } }
end

describe("chat", function()
  local app, server, client, asked, pieces
  before_each(function()
    log.to(function() end)
    app, asked, pieces = serve.new(), nil, {}
    app.web("vllm", function(request)
      if request.path ~= "/v1/chat/completions" or request.method ~= "POST" then
        return app.response(404, { detail = "Not Found" })
      end
      asked = request.json()
      if asked.max_tokens == 0 then
        return app.response(400, { object = "error", message = "max_tokens must be at least 1", type = "BadRequestError", code = 400 })
      elseif asked.model == "whole" then
        return { choices = { { message = { role = "assistant", content = "all at once" }, finish_reason = "stop" } }, usage = { total_tokens = 4 } }
      end
      local at = 0
      return function()
        at = at + 1
        return pieces[at]
      end
    end)
    server = assert(app.listen { token = TOKEN, log = function() end })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  after_each(function()
    app:close()
    log.to(nil)
  end)

  local messages = { { role = "user", content = "Hello" } }

  it("gives text as it comes, and all of it with the usage at the end", function()
    pieces = { delta { role = "assistant", content = "" }, delta { content = "Hel" }, delta { content = "lo" }, delta({}, "stop") }
    pieces[5] = data { object = "chat.completion.chunk", choices = json.array {}, usage = { prompt_tokens = 3, total_tokens = 5 } }
    pieces[6] = data "[DONE]"
    local chat = assert(client.chat { "vllm", messages = messages, model = "tiny", temperature = 0.5, extra = { top_k = 3 } })
    local texts = {}
    local text, chunk = chat:next()
    while text do
      texts[#texts + 1] = text
      assert.are.equal("tiny", chunk.model)
      text, chunk = chat:next()
    end
    assert.are.same({ "Hel", "lo" }, texts)
    assert.are.same({ nil, "stop", 5, "tiny" }, { chat.err, chat.finish_reason, chat.usage.total_tokens, chat.model })
    assert.are.same({ role = "assistant", content = "Hello" }, chat.message)
    assert.are.same({ true, { include_usage = true }, "tiny", 0.5, 3, "Hello" },
      { asked.stream, asked.stream_options, asked.model, asked.temperature, asked.top_k, asked.messages[1].content })
  end)

  it("puts tool calls together, several at once", function()
    local function call(index, id, name, arguments)
      local piece = { index = index, id = id, ["function"] = { name = name, arguments = arguments } }
      piece.type = id and "function" or nil
      return delta { tool_calls = { piece } }
    end
    pieces = {
      delta { role = "assistant" },
      call(0, "c1", "weather", ""),
      call(0, nil, nil, '{"city":'),
      call(1, "c2", "time", "{}"),
      call(0, nil, nil, '"Paris"}'),
      delta({}, "tool_calls"),
      data "[DONE]",
    }
    local tools = { { type = "function", ["function"] = { name = "weather" } } }
    local chat = assert(client.chat { "vllm", messages = messages, tools = tools, usage = false })
    local message = assert(chat:whole())
    assert.are.same({
      { id = "c1", type = "function", ["function"] = { name = "weather", arguments = '{"city":"Paris"}' } },
      { id = "c2", type = "function", ["function"] = { name = "time", arguments = "{}" } },
    }, message.tool_calls)
    assert.are.same({ "tool_calls", nil, "weather" }, { chat.finish_reason, asked.stream_options, asked.tools[1]["function"].name })
  end)

  it("takes null for what is not said, and leaves out what is no tool call", function()
    local null = json.null
    local function call(piece)
      return delta { role = null, content = null, reasoning_content = null, reasoning = "so", tool_calls = { piece } }
    end
    pieces = {
      call { index = 0, id = "c1", type = "function", ["function"] = { name = "weather", arguments = "" } },
      call { index = 0, id = null, type = null, ["function"] = { name = null, arguments = "{}" } },
      call { index = -3.5, id = "c1" },
      call(7),
      data { object = "chat.completion.chunk", error = null, choices = {} },
      data "[DONE]",
    }
    local chat = assert(client.chat { "vllm", messages = messages })
    local message = assert(chat:whole())
    assert.are.same({ { id = "c1", type = "function", ["function"] = { name = "weather", arguments = "{}" } } }, message.tool_calls)
    assert.are.same({ "assistant", nil, "sosososo" }, { message.role, message.content, message.reasoning })
  end)

  it("leaves the messages as they are", function()
    local mine, class = { { role = "user", content = "Hello" } }, {}
    setmetatable(mine, class)
    pieces = { data "[DONE]" }
    assert(assert(client.chat { "vllm", messages = mine }):whole())
    assert.are.equal(class, getmetatable(mine))
  end)

  it("tells of an error within the stream, and of one that ends too early", function()
    pieces = { delta { content = "Hel" }, data { error = { message = "out of memory", type = "server_error" } } }
    local chat = assert(client.chat { "vllm", messages = messages })
    local message, err = chat:whole()
    assert.is_nil(message)
    assert.are.same({ "http", "yes", "Hel", chat.err }, { err.kind, err.executed, chat.message.content, err })
    assert.is_truthy(err.message:find("the model's server failed: out of memory", 1, true))
    pieces = { delta { content = "Hel" } }
    message, err = assert(client.chat { "vllm", messages = messages }):whole()
    assert.is_nil(message)
    assert.is_truthy(err.message:find("ended without [DONE]", 1, true))
    pieces = { delta { content = "Hel" }, delta { content = "lo" }, data "[DONE]" }
    server:fault "cut=1"
    message, err = assert(client.chat { "vllm", messages = messages }):whole()
    assert.are.same({ nil, "yes" }, { message, err.executed })
  end)

  it("is refused as a call is, and takes an answer that is not streamed", function()
    local chat, err = client.chat { "vllm", messages = messages, max_tokens = 0 }
    assert.are.same({ nil, 400, "no" }, { chat, err.status, err.executed })
    assert.is_truthy(err.message:find("max_tokens must be at least 1", 1, true))
    chat = assert(client.chat { "vllm", messages = messages, model = "whole" })
    assert.are.equal("all at once", assert(chat:whole()).content)
    assert.are.equal(4, chat.usage.total_tokens)
    chat, err = client.chat { "vllm", messages = messages, path = "/v1/nothing" }
    assert.are.same({ nil, 404 }, { chat, err.status })
  end)

  it("is asked with a mistake", function()
    for _, row in ipairs {
      { { "vllm" }, 'beam.chat wants messages = { { role = "user", content = … } }' },
      { { "vllm", messages = messages, n = 2 }, "beam.chat takes one answer: n is 1" },
      { { "vllm", messages = messages, temperatur = 1 }, "beam.stream: unknown option 'temperatur'" },
      { "vllm", 'beam.chat wants a table: { "name", messages = {…} }' },
    } do
      local ok, problem = pcall(client.chat, row[1])
      assert.are.same({ false, row[2] }, { ok, (problem:gsub("^.-:%d+: ", ""):gsub("; did you mean.*", "")) })
    end
  end)

  it("goes to a pod's port as well", function()
    local at = beam.client { gateway = "http://127.0.0.1:1", token = TOKEN }
    local chat, err = at.chat { "vllm", port = 8000, messages = messages, retry = false }
    assert.is_nil(chat)
    assert.is_truthy(err.message:find("POST http://127.0.0.1:1/pod/vllm/8000/v1/chat/completions", 1, true))
  end)
end)
