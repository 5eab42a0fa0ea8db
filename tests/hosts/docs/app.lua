-- What is deployed for the programs in the pages: beamlua serve tests/hosts/docs/app.lua
local app = require "beam.serve"

app.realtime("echo", function(_, context)
  return { response = context.json() }
end)
app.realtime("garden", function(_, context)
  return { players = { context.json() } }
end)

local function doubled(input)
  return { result = input.x * 2 }
end
app.endpoint("multiply", doubled)
app.endpoint("name", doubled, { version = 3 })

local function nothing()
  return { ok = true }
end
for _, name in ipairs { "thumbnail", "train", "transcribe", "ingest" } do
  app.endpoint(name, nothing)
end

app.endpoint("generate", function()
  local words, i = { "To ", "be", "am\n" }, 0
  return function()
    i = i + 1
    return words[i] and { token = words[i] }
  end
end)

app.task_queue("train", function(input, context)
  for _ = 1, input.steps or 1 do
    context.sleep(0.01)
  end
  context.output("model.txt", "weights")
  return { loss = 0.1, steps = input.steps }
end, { workers = 8 })
app.remote_function("resize", nothing)

-- A language model of few words.
app.web("vllm", function()
  local pieces, at = {
    '{"model":"tiny","choices":[{"delta":{"role":"assistant","content":"A line of light.\\n"},"finish_reason":"stop"}]}',
    '{"choices":[],"usage":{"total_tokens":9}}',
    "[DONE]",
  }, 0
  return function()
    at = at + 1
    return pieces[at] and "data: " .. pieces[at] .. "\n\n"
  end
end)

return app
