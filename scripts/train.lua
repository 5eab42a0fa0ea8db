-- Submits a task, shows its states as they change, prints its result and fetches the files it made.
--   beamlua scripts/train.lua [NAME] [STEPS] [FOLDER]
local beam = require "beam"

local name, steps, folder = arg[1] or "train", tonumber(arg[2]) or 5, arg[3] or "."

-- Says what went wrong, and ends.
local function give_up(err)
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

local task, refused = beam.submit(name, { steps = steps })
if not task then
  give_up(refused)
end
print("submitted\t" .. task.id)

local events <close> = task:events { timeout = 3600 }
for status in events do
  print("state\t" .. status)
end

local result, err = task:result(60)
if result == nil then
  give_up(err)
end
print(("result\t%d steps, loss %.4f"):format(result.steps, result.loss))

for _, output in ipairs(assert(task:outputs())) do
  local path = folder .. "/" .. output.name:gsub("[^%w._-]", "_") -- a name is the handler's: it is not to lead out of the folder
  print(("file\t%s, %d bytes"):format(path, assert(task:download(output, path))))
end
