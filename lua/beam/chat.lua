-- A language model behind OpenAI's protocol, hosted on Beam (vLLM, SGLang: docs/wire.md section 9): its words as they come, and what they
-- are in the end.
--
--   local chat = assert(beam.chat { "vllm", port = 8000, messages = { { role = "user", content = "Hello" } } })
--   for text in chat do io.write(text) end
--   print(chat.usage.total_tokens, chat.message.tool_calls)
local answer_error = require "beam.http.answer_error"
local errors = require "beam.error"
local mistake = require "beam.base.mistake"

local chat = {}

---@class beam.chat
---@overload fun(): string?, table?
---@field message { role: string, content: string?, tool_calls: table[]?, reasoning: string? } as far as it has come
---@field finish_reason string? "stop", "length", "tool_calls"
---@field usage table? prompt_tokens, completion_tokens, total_tokens
---@field model string?
---@field err beam.error? why it broke off
local Chat = {}
local meta = { __name = "beam.chat", __index = Chat }

local default_path = "/v1/chat/completions"
local most_tool_calls = 1000 -- of one answer

-- ---- The request ----

local known_of_body = { model = true, tools = true, tool_choice = true, max_tokens = true, temperature = true, top_p = true, stop = true }
for _, name in ipairs { "seed", "response_format", "presence_penalty", "frequency_penalty", "logprobs", "n", "user", "extra" } do
  known_of_body[name] = true
end

---@class beam.chat_options: beam.stream_options
---@field messages table[] { role =, content = }
---@field model string? some servers want it
---@field tools table[]?
---@field max_tokens integer?
---@field temperature number?
---@field usage boolean? false: does not ask for the count of tokens
---@field extra table? what else stands in the request

-- The request's body; `options` keeps what beam.stream is told.
local function body_of(options)
  if type(options.messages) ~= "table" or options.messages[1] == nil then
    mistake "beam.chat wants messages = { { role = \"user\", content = … } }"
  elseif options.n ~= nil and options.n ~= 1 then
    mistake "beam.chat takes one answer: n is 1"
  end
  local body = { messages = options.messages, stream = true }
  for name in pairs(known_of_body) do
    if name ~= "extra" then
      body[name] = options[name]
    end
  end
  for name, value in pairs(options.extra or {}) do
    body[name] = value
  end
  if options.usage ~= false then
    body.stream_options = { include_usage = true }
  end
  return body
end

local function stream_options(given)
  local options = {}
  for name, value in pairs(given) do
    if not known_of_body[name] and name ~= "messages" and name ~= "usage" then
      options[name] = value
    end
  end
  options.input = body_of(given)
  options.path = options.path or default_path
  if not options.url and not options.kind and not options.port then
    options.kind = "asgi"
  end
  return options
end

-- ---- Pieces ----

-- What says nothing is left out by some servers, and null from others.
local function text(value)
  return type(value) == "string" and value or nil
end

local function add_tool_call(calls, index, piece)
  local call = calls[index] or { type = "function", ["function"] = { name = "", arguments = "" } }
  local fn, given = call["function"], type(piece["function"]) == "table" and piece["function"] or {}
  calls[index] = call
  call.id, call.type = text(piece.id) or call.id, text(piece.type) or call.type
  fn.name, fn.arguments = fn.name .. (text(given.name) or ""), fn.arguments .. (text(given.arguments) or "")
end

-- Tool calls come in pieces that say which one they belong to; of the first ones id and name are whole.
local function add_tool_calls(message, pieces)
  message.tool_calls = message.tool_calls or {}
  for position, piece in ipairs(pieces) do
    if type(piece) == "table" then
      local index = tonumber(piece.index)
      local is_place = index and index >= 0 and index < most_tool_calls and index % 1 == 0
      add_tool_call(message.tool_calls, is_place and index + 1 or position, piece)
    end
  end
end

local function append(message, name, more)
  if text(more) and more ~= "" then
    message[name] = (message[name] or "") .. more
    return more
  end
end

-- Takes a chunk; returns the text that is new.
local function take_chunk(self, chunk)
  self.model = text(chunk.model) or self.model
  self.usage = type(chunk.usage) == "table" and chunk.usage or self.usage
  local choice = type(chunk.choices) == "table" and chunk.choices[1]
  if type(choice) ~= "table" then
    return nil
  end
  self.finish_reason = text(choice.finish_reason) or self.finish_reason
  local delta = type(choice.delta) == "table" and choice.delta or type(choice.message) == "table" and choice.message or {}
  local message = self.message
  message.role = text(delta.role) or message.role
  append(message, "reasoning", text(delta.reasoning_content) or delta.reasoning)
  if type(delta.tool_calls) == "table" then
    add_tool_calls(message, delta.tool_calls)
  end
  return append(message, "content", delta.content)
end

-- ---- Ends ----

local function finish(self, err)
  self.over, self.err = true, self.err or err
  self.stream:close()
  return nil, self.err
end

local function failure(self, said, hint)
  return errors.new {
    kind = "http",
    message = ("%s: %s"):format(self.stream.what, said),
    phase = "response",
    executed = "yes",
    status = self.stream.status,
    task_id = self.stream.task_id,
    hint = hint,
  }
end

local function is_error(chunk)
  return type(chunk.error) == "table" or text(chunk.error) ~= nil or chunk.object == "error"
end

--- Waits for the next piece of text.
---@param timeout number? seconds
---@return string? text nil at the end, and on failure
---@return table|beam.error|nil chunk as it came; on failure the error
function Chat:next(timeout)
  while not self.over do
    local chunk, event = self.stream:next(timeout)
    if chunk == nil then
      if event and not self.stream.err then -- a time-out of this call
        return nil, event
      end
      if self.stream.format == "whole" and self.message.content and not event then -- it does not stream
        return finish(self)
      end
      return finish(self, event or failure(self, "the answer ended without [DONE]", "what came until then may be cut off"))
    elseif chunk == "[DONE]" then
      return finish(self)
    elseif type(chunk) ~= "table" then
      return finish(self, failure(self, "a chunk is no JSON: " .. tostring(chunk):sub(1, 80)))
    elseif is_error(chunk) then
      return finish(self, failure(self, "the model's server failed: " .. answer_error.text_of(chunk)))
    end
    local more = take_chunk(self, chunk)
    if more then
      return more, chunk
    end
  end
  return nil, self.err
end

meta.__call = require "beam.base.iterate"

--- Waits for the whole answer.
---@return table? message role, content, tool_calls with their arguments as JSON texts
---@return beam.error? err
function Chat:whole()
  local more, err = self:next()
  while more do
    more, err = self:next()
  end
  return not err and self.message or nil, err
end

--- Ends it: the model's server is told by the end of the connection. May be called twice.
function Chat:close()
  self.over = true
  self.stream:close()
end

meta.__close = Chat.close

--- Asks a model, and gives its answer as it comes.
---@param settings beam.settings
---@param options beam.chat_options the target first, or with name =, url = and so on
---@return beam.chat? chat, beam.error? err
function chat.open(settings, options)
  if type(options) ~= "table" then
    mistake "beam.chat wants a table: { \"name\", messages = {…} }"
  end
  local stream, err = require("beam.stream").open(settings, stream_options(options))
  if not stream then
    return nil, err
  end
  local self = setmetatable({ stream = stream, message = { role = "assistant" }, over = false }, meta)
  return self, nil, nil, self
end

return chat
