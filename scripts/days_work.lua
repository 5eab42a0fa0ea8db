-- A day's work: uploads a file, submits tasks that get its URL, shows what they say, is called back by Beam when each has ended, downloads
-- what they made, and stops the deployment.
--   beamlua scripts/days_work.lua NAME FILE FOLDER [TASKS] [PORT]     Beam must reach this machine: BEAM_CALLBACK_HOST is its address
local beam = require "beam"

local name, file, folder = arg[1], arg[2], arg[3]
local count, port = tonumber(arg[4]) or 100, tonumber(arg[5]) or 0

local function check(value, err)
  if value == nil then
    io.stderr:write(tostring(err), "\n")
    os.exit(1)
  end
  return value
end

local host = os.getenv "BEAM_CALLBACK_HOST"
local receiver = check(beam.callbacks.listen { port = port, host = host })

local url = check(beam.upload(file))
print("uploaded", (url:gsub("[?].*", "")))

local inputs = {}
for i = 1, count do
  inputs[i] = { number = i, file = url, callback_url = receiver.url }
end

local tasks, lines = {}, 0
for i = 1, count do
  tasks[i] = check(beam.submit(name, inputs[i]))
end
print("submitted", count)

-- One by one, and all of them while they run.
local readers = {}
for i, task in ipairs(tasks) do
  readers[i] = beam.spawn(function()
    local said = task:logs { follow = true, timeout = 600 }
    local line = said:next()
    while line do
      lines = lines + 1
      line = said:next()
    end
    return said.err or true
  end)
end

local ended = {}
for i, task in ipairs(tasks) do
  ended[i] = check(receiver:wait(task, 600))
end
for _, reader in ipairs(readers) do
  local said = reader:join(60)
  check(said == true or nil, said)
end
print("called back", count, "lines", lines)

local bytes = 0
for i, task in ipairs(tasks) do
  check(ended[i].status == "COMPLETE" or nil, ("task %s ended as %s"):format(task.id, ended[i].status))
  for _, output in ipairs(check(task:outputs())) do
    bytes = bytes + check(task:download(output, ("%s/%03d-%s"):format(folder, i, output.name:gsub("[^A-Za-z0-9._-]", "_"))))
  end
end
print("downloaded", bytes)

check(beam.deployment({ name, kind = "taskqueue" }):stop())
print("stopped", name)
receiver:close()
