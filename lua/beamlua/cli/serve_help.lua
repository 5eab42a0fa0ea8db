-- What `beamlua serve --help` says besides its options, and the reader of --fault.
local syntax = require "beam.serve.fault.syntax"

local serve_help = {}

serve_help.text = [[
app.lua deploys its handlers:
  local app = require "beam.serve"
  app.realtime("echo", function(text) return { response = text } end)
  app.endpoint("multiply", function(input) return { result = input.x * 2 } end)
  app.task_queue("train", function(input, context) context.output("model.txt", "…") return { loss = 0.1 } end)
Without an app.lua: echo and multiply, as above, generate (an endpoint that streams: prompt, count, delay) and train (a task queue: steps,
delay).
]] .. syntax.help .. "\n"

--- Several --fault are one, with commas between.
function serve_help.read_fault(value, before)
  local ok, problem = syntax.parse(value)
  return ok and (before and before .. "," .. value or value) or nil, problem
end

return serve_help
