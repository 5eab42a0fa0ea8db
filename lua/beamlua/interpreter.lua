-- beamlua as an interpreter, with the options of lua: beamlua [options] [script [args]].
local run = require "beamlua.run"

local usage = [=[
usage: beamlua [options] [script.lua [args]]   run a script; - reads it from standard input
       beamlua COMMAND …                       beamlua help lists the commands
options: -e CHUNK   run CHUNK; may be given several times, before a script
         -l NAME    require NAME into the global NAME; -l G=NAME into G
         -i         a prompt, after the script
         -v         print the versions
         -E         ignore LUA_INIT, LUA_PATH and LUA_CPATH
         -W         turn warnings on
         --metrics-port PORT   figures of the module at http://127.0.0.1:PORT/metrics, for Prometheus
         --record FILE   write what passes between the script and Beam into FILE (beamlua serve --replay)
         --         end of the options
]=]

local function complain(what)
  io.stderr:write("beamlua: ", what, "\n", usage)
  return 2
end

local function fail(what)
  io.stderr:write("beamlua: ", what, "\n")
  return 1
end

local function require_global(text)
  local global, name = text:match "^([A-Za-z_][0-9A-Za-z_]*)=(.+)$"
  return function()
    _G[global or text:match "^[^-]*"] = require(name or text)
  end
end

local function load_chunk(text)
  return load(text, "=(command line)")
end

local function start_recording(path)
  return function()
    local recorder, err = require("beam.record").to(path)
    if not recorder then
      error(err.message, 0)
    end
  end
end

local function serve_metrics(text)
  local port, wanted = require("beamlua.readers").port(text)
  if not port then
    return nil, "--metrics-port " .. wanted
  end
  return function()
    require "beamlua.metrics"(port)
  end
end

-- A script that is not there may have been meant as a command.
local function load_script(path)
  if path == "-" then
    return load(io.read "*a", "=stdin")
  end
  local chunk, message = loadfile(path)
  local meant = not chunk and path:find "^[a-z-]+$" and require("beam.base.suggest")(path, require("beamlua.cli.commands").names())
  return chunk, meant and ("%s; did you mean the command '%s'?"):format(message, meant) or message
end

-- Options with a value: a function of it that gives the chunk to run, or nil and what is wrong with it.
local takes_value = { ["-e"] = load_chunk, ["-l"] = require_global, ["--record"] = start_recording, ["--metrics-port"] = serve_metrics }
local flags = { ["-v"] = "version", ["-i"] = "prompt", ["-W"] = "warnings", ["-E"] = "bare" }

local first_of_all = { ["--record"] = "record", ["--metrics-port"] = "metrics" }

-- Returns { script = position of the script, or one past the end; chunks = what to run before it; record, metrics = what to do before
-- all of it; version, prompt, warnings, bare }; or nil, what is wrong, and whether it is a chunk's syntax.
local function read_options(arguments)
  local given, i = { chunks = {} }, 1
  while arguments[i] and arguments[i]:find "^%-." do
    local option = arguments[i]
    local name = option:match "^%-%-[^=]+" or option:sub(1, 2)
    local make = takes_value[name]
    if option == "--" then
      i = i + 1
      break
    elseif flags[option] then
      given[flags[option]] = true
    elseif not make then
      return nil, "unknown option '" .. option .. "'"
    else
      local value = option:sub(#name + (name:find "^%-%-" and 2 or 1))
      if #option == #name then
        i = i + 1
        value = arguments[i]
      end
      if not value or value == "" and name ~= "-e" then
        return nil, name .. " wants an argument"
      end
      local chunk, message = make(value)
      if not chunk then
        return nil, message, true
      end
      if first_of_all[name] then
        given[first_of_all[name]] = chunk
      else
        table.insert(given.chunks, chunk)
      end
    end
    i = i + 1
  end
  given.script = i
  return given
end

-- As in lua: the script at 0, its arguments from 1, the program and its options below.
local function make_arg(arguments, script)
  local arg = {}
  for i = 0, #arguments do
    arg[i - (arguments[script] and script or 0)] = arguments[i]
  end
  return arg
end

-- LUA_INIT, as in lua: a chunk, or @ and a file with one.
local function add_init(chunks)
  for _, name in ipairs { "LUA_INIT_5_4", "LUA_INIT" } do
    local text = os.getenv(name)
    if text then
      local chunk, message
      if text:sub(1, 1) == "@" then
        chunk, message = loadfile(text:sub(2))
      else
        chunk, message = load(text, "=" .. name)
      end
      if chunk then
        table.insert(chunks, 1, chunk)
      end
      return message
    end
  end
end

-- What is to be run, and whether a prompt follows.
local function plan(host, arguments, given)
  local path = arguments[given.script]
  local alone = not path and #given.chunks == 0 and not given.version
  given.prompt = given.prompt or alone and host.is_terminal(0)
  if alone and not given.prompt then
    path = "-"
  end
  local problem = not given.bare and add_init(given.chunks) or nil
  if path and not problem then
    given.main, problem = load_script(path)
  end
  return problem
end

-- A tail call, so that a traceback says "in main chunk".
local function call(chunk, ...)
  return chunk(...)
end

return function(host, arguments)
  local given, wrong, in_chunk = read_options(arguments)
  if not given then
    return (in_chunk and fail or complain)(wrong)
  end
  if given.warnings then
    warn "@on"
  end
  local problem = plan(host, arguments, given)
  if given.version or given.prompt then
    print(("beamlua %s, %s"):format(host.version, _VERSION))
  end
  if problem then
    return fail(problem)
  end
  if given.record then
    local ok, message = pcall(given.record)
    if not ok then
      return fail(message)
    end
  end
  arg = make_arg(arguments, given.script) -- luacheck: globals arg
  local function main()
    if given.metrics then
      given.metrics()
    end
    for _, chunk in ipairs(given.chunks) do
      call(chunk)
    end
    if given.main then
      call(given.main, table.unpack(arg))
    end
  end
  return run.run(host, main, given.prompt and require "beamlua.repl"(host) or nil)
end
