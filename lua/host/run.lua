-- Runs a function as the main coroutine of the process, until nothing is left to wait for, and ends what is open on every way out.
local patience = 2 -- seconds for the other side to answer a close

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
  local attempt = package.loaded["beam.attempt"]
  return attempt and attempt.close_all(1001) or 0
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

local function report(err)
  local text = tostring(err)
  if type(err) == "table" and err.kind == "script" then
    text = err.message .. (err.traceback and "\n" .. err.traceback or "")
  end
  io.stderr:write("beamlua: ", text, "\n")
end

-- os.exit in the middle of a script must not leave ghosts behind, which hold their slot at Beam (wire.md section 5).
local function close_before_exit(host)
  local exit = os.exit
  function os.exit(code, close) -- luacheck: ignore 122
    pcall(shut_down, host)
    exit(code, close)
  end
end

--- Runs `main`. Returns the exit code.
return function(host, main)
  close_before_exit(host)
  local ok, err = pcall(require("beam.driver").run, main)
  if host.received() then
    io.stderr:write "beamlua: interrupted\n"
  elseif not ok then
    report(err)
  end
  local closed, problem = pcall(shut_down, host)
  if not closed and not host.received() then
    report(problem)
  end
  return ok and 0 or 1
end
