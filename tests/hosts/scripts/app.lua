-- What scripts/days_work.lua and scripts/chat_completions.lua work with.
local app = require "beam.serve"

app.task_queue("work", function(input, context)
  context.log(("task %d begins"):format(input.number))
  context.sleep(0.01)
  context.log(("its file is at %s"):format(input.file))
  context.output("result.txt", ("result %d\n"):format(input.number))
  return { number = input.number }
end, { workers = 16, max_pending = 1000 })

app.web("vllm", function(request)
  if request.path ~= "/v1/chat/completions" then
    return app.response(404, { detail = "Not Found" })
  end
  local words, at = { "A ", "line ", "of ", "light." }, 0
  return function()
    at = at + 1
    if at <= #words then
      return ('data: {"model":"tiny","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'):format(words[at])
    elseif at == #words + 1 then
      return 'data: {"choices":[],"usage":{"prompt_tokens":5,"total_tokens":9}}\n\n'
    elseif at == #words + 2 then
      return "data: [DONE]\n\n"
    end
  end
end)
