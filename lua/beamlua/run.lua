-- Runs a function as the main coroutine of the process, until nothing is left to wait for, and ends what is open on every way out.
local exit_codes = require "beamlua.cli.exit_codes"
local interruption = require "beamlua.interruption"
local reactor = require "beam.driver.reactor"

local patience = 2 -- seconds for the other side to answer a close
local broken_pipe = 13 -- SIGPIPE: who has no reader has nobody to tell that

-- The servers of this process close their connections as uvicorn does when it ends, with 1012.
local function stop_servers()
  local module = package.loaded["beam.serve.server"]
  local stopped = {}
  for server in pairs(module and module.open or {}) do
    stopped[#stopped + 1] = server
  end
  for _, server in ipairs(stopped) do
    server:stop()
  end
  return stopped
end

-- The client's connections close with 1001: what the peer sees is an end, not a loss, and its slot is free. Returns how many are open.
local function close_connections()
  local open = package.loaded["beam.driver.open"]
  return open and open.close_all(1001) or 0
end

local function busy(servers)
  for _, server in ipairs(servers) do
    if server:busy() then
      return true
    end
  end
end

--- Closes what is open; waits up to two seconds for the other side. Events are dispatched meanwhile, but no coroutine runs.
local function shut_down(host)
  if host.leave then
    host.leave() -- the prompt gives the terminal back
  end
  local servers, ctx = stop_servers(), host.contexts[1]
  local deadline = ctx and ctx:now() + patience or 0
  while ctx and ctx:now() < deadline and (close_connections() > 0 or busy(servers)) do
    ctx:step(deadline - ctx:now())
  end
  host.watch()
  for _, context in ipairs(host.contexts) do
    context:close() -- what is still open sends 1001 as far as its socket takes it
  end
end

-- An error that is no text is told as lua tells it, but for those that know how to be.
local function text_of(err)
  local meta = getmetatable(err)
  if type(err) == "string" or type(err) == "number" or type(meta) == "table" and meta.__tostring then
    return (tostring(err):gsub("^beamlua/[a-z_/]+%.lua:%d+: ", "")) -- a line of ours, where a library names its caller
  end
  return ("(error object is a %s value)"):format(type(err))
end

local run = {}

--- What stands on stderr after an error: the message, and the script's frames.
---@param host table
---@param err any
---@return string
function run.describe(host, err)
  if type(err) ~= "table" or err.kind ~= "script" then
    return text_of(err)
  end
  local message = err.cause ~= nil and text_of(err.cause) or err.message
  local trace = err.traceback and require("beamlua.traceback").clean(host, err.traceback)
  return message .. (trace and "\n" .. trace or "")
end

local function report(host, err)
  io.stderr:write("beamlua: ", run.describe(host, err), "\n")
end

-- Ends the to-be-closed variables of a coroutine that waits.
local function unwind(thread)
  if thread and coroutine.close and coroutine.status(thread) == "suspended" then
    coroutine.close(thread)
  end
end

-- os.exit in the middle of a script must not leave ghosts behind, which hold their slot at Beam (docs/wire.md section 5). With `close` it
-- ends the to-be-closed variables of the script, as in lua: those of the main chunk, which is a coroutine here, and the caller's.
local function close_before_exit(host)
  local exit = os.exit
  function os.exit(code, close) -- luacheck: ignore 122
    local function leave(task)
      if close then
        unwind(task and task.thread)
        unwind(host.main_thread)
      end
      pcall(shut_down, host)
      exit(code, close)
    end
    if close and coroutine.close and reactor.running_task() and coroutine.isyieldable() then
      reactor.leave(leave)
    end
    leave()
  end
end

--- A drive that ends with the main function, whatever else goes on.
---@param main fun(): any
---@return any result
function run.to_the_end_of(main)
  local result, err = require("beam.driver").spawn(main):join()
  if err then
    error(err, 0)
  end
  return result
end

--- Runs `main`.
---@param host table
---@param main fun(): integer?
---@param drive (fun(main: function): integer?)? default: until nothing is left to wait for
---@return integer code what main returned, else 0; 1 after an error
function run.run(host, main, drive)
  close_before_exit(host)
  interruption.watch(host)
  local function in_main_thread()
    host.main_thread = coroutine.running()
    return main()
  end
  local ok, result = pcall(drive or require("beam.driver").run, in_main_thread)
  local signal = host.received()
  if signal and signal ~= broken_pipe then
    io.stderr:write "beamlua: interrupted\n"
  elseif not ok and not signal then
    report(host, result)
  end
  interruption.unwind(host)
  local closed, problem = pcall(shut_down, host)
  if not closed and not host.received() then
    report(host, problem)
  end
  return ok and (result or 0) or exit_codes.script
end

return run
