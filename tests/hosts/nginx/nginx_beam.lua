-- The local Beam as tests/hosts/nginx/nginx_test.py wants it: what comes is wrapped, at once.
local app = require "beam.serve"
local json = require "beam.json"

app.realtime("echo", function(event)
  return { response = json.decode(event) }
end)
