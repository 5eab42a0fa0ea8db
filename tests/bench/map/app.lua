-- The local Beam of map.sh: an endpoint that counts its runs by input, and one that tells the counts.
local app = require "beam.serve"

local runs = {}

app.endpoint("double", function(input)
  runs[input.x] = (runs[input.x] or 0) + 1
  return { result = input.x * 2 }
end)

-- What was counted since it was asked last.
app.endpoint("runs", function()
  local answer = { inputs = 0, runs = 0, repeated = 0 }
  for _, times in pairs(runs) do
    answer.inputs, answer.runs = answer.inputs + 1, answer.runs + times
    answer.repeated = answer.repeated + (times > 1 and 1 or 0)
  end
  runs = {}
  return answer
end)
