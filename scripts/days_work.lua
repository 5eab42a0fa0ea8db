-- A day's work: uploads a file, submits tasks that get its URL, shows what they say, is called back by Beam when each has ended, downloads
-- what they made, and stops the deployment.
--   beamlua scripts/days_work.lua NAME FILE FOLDER [TASKS] [PORT]     Beam must reach this machine at PORT: BEAM_CALLBACK_HOST says how
local beam = require "beam"
local driver = require "beam.driver"

local name, file, folder = arg[1], arg[2], arg[3]
local count, port = tonumber(arg[4]) or 100, tonumber(arg[5]) or 0
local client = assert(beam.client {})

local function check(value, err)
  if value == nil then
    io.stderr:write(tostring(err), "\n")
    os.exit(1)
  end
  return value
end

-- ---- To be called back ----

local ended, left, all_ended = {}, count, driver.signal()

-- Whatever comes is looked at in a coroutine, for the key may have to be asked for; only what Beam has signed counts, and each task once.
local function receive(request, view)
  local callback, err = beam.callbacks.verify(view.body, view.headers, client.signing_key)
  request:respond(callback and 204 or 401, {}, "")
  if not callback then
    return print("refused", err.message)
  elseif not ended[callback.task_id] then
    ended[callback.task_id] = callback
    left = left - 1
    if left <= 0 then
      all_ended:wake_all()
    end
  end
end

local server = check(driver.context():server({ host = os.getenv "BEAM_CALLBACK_HOST" or "127.0.0.1", port = port }, function(request, view)
  driver.defer(function()
    receive(request, view)
  end)
end))
driver.attach() -- so that waiting for it is no mistake
local callback_url = ("http://%s:%d/"):format(os.getenv "BEAM_CALLBACK_HOST" or "127.0.0.1", server:port())

-- ---- The work ----

local url = check(client.upload(file))
print("uploaded", (url:gsub("[?].*", "")))

local inputs = {}
for i = 1, count do
  inputs[i] = { number = i, file = url, callback_url = callback_url }
end

local tasks, lines = {}, 0
for i = 1, count do
  tasks[i] = check(client.submit(name, inputs[i]))
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

while left > 0 do
  if not all_ended:wait(600) then
    check(nil, ("%d tasks did not call back"):format(left))
  end
end
for _, reader in ipairs(readers) do
  local said = reader:join(60)
  check(said == true or nil, said)
end
print("called back", count, "lines", lines)

local bytes = 0
for i, task in ipairs(tasks) do
  local told = ended[task.id]
  check(told.status == "COMPLETE" or nil, ("task %s ended as %s"):format(task.id, told.status))
  for _, output in ipairs(check(task:outputs())) do
    bytes = bytes + check(task:download(output, ("%s/%03d-%s"):format(folder, i, output.name:gsub("[^A-Za-z0-9._-]", "_"))))
  end
end
print("downloaded", bytes)

check(client.deployment({ name, kind = "taskqueue" }):stop())
print("stopped", name)
server:close()
driver.detach()
