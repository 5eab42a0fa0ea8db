-- Asks a language model that is hosted on Beam (vLLM, SGLang: OpenAI's protocol), and prints its answer as it comes.
--   beamlua scripts/chat_completions.lua [NAME] [QUESTION]
local beam = require "beam"

local name, question = arg[1] or "vllm", arg[2] or "What is a beam?"

local chat, refused = beam.chat { name, messages = { { role = "user", content = question } }, timeout = 300 }
if not chat then
  io.stderr:write(tostring(refused), "\n")
  os.exit(1)
end

local text, err = chat:next()
while text do
  io.write(text)
  io.stdout:flush()
  text, err = chat:next()
end
print()

if chat.err then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
for _, call in ipairs(chat.message.tool_calls or {}) do
  print("it wants", call["function"].name, call["function"].arguments)
end
if chat.usage then
  print("tokens", chat.usage.total_tokens)
end
