-- What tests/hosts/monitoring/monitoring.py has beamlua do: something of everything, then it stays for the scrapes.
local beam = require "beam"
local client = beam.client { on_span = beam.otlp() }

for i = 1, 7 do
  assert(client.call("multiply", { x = i }))
end
assert(not client.call("nothing", {}))
for _ in assert(client.stream { "generate", input = { prompt = "a b" } }) do
  io.write ""
end
local conn = assert(client.realtime "echo")
for i = 1, 5 do
  assert(conn:request { n = i })
end
assert(assert(client.submit("train", { steps = 1, delay = 0.01 })):wait(30))
print "ready"
io.stdout:flush()
beam.read_line()
conn:close()
