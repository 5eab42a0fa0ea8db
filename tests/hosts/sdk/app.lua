-- What the SDK and curl are tried on.
local app = require "beam.serve"

app.realtime("echo", function(_, context)
  return { response = context.json() }
end)

app.endpoint("multiply", function(input)
  if input.x == 404 then
    return app.response(404, { message = "You need more tokens" })
  end
  return { result = input.x * 2 }
end, { inputs = { x = "number" } })

app.endpoint("words", function(input)
  return (input.text or "one two three"):gmatch "%S+"
end)

app.task_queue("train", function(input, context)
  for _ = 1, input.steps or 2 do
    if not context.sleep(0.05) then
      return
    end
  end
  context.output("model.txt", "weights")
  return { steps = input.steps or 2 }
end)

app.remote_function("pickle", function()
  return "\128\4K\42."
end, { result = "pickle" })

app.task_queue("full", function(_, context)
  context.sleep(3600)
end, { max_pending = 1 })
