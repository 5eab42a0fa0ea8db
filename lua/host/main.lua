-- beamlua's command line. Returns a function of the host's table (received, watch, folder, version) and the arguments, program name at 0;
-- that returns the exit code: 0, 1 script error, 2 usage. (The C side makes 130 and 143 of SIGINT and SIGTERM.)
local usage = [[
usage: beamlua [options] script.lua [args]    run a script; - reads it from standard input
       beamlua serve [app.lua] [options]      the local Beam; beamlua serve --help
options: -e CHUNK   run CHUNK; may be given several times, before a script
         -l NAME    require NAME into the global NAME
         -v         print the versions
         --         end of the options
`beam` is there without require. The process ends when nothing is left to wait for.
]]

local later = {
  call = true,
  realtime = true,
  task = true,
  doctor = true,
}

local function complain(what)
  io.stderr:write("beamlua: ", what, "\n", usage)
  return 2
end

local function fail(what)
  io.stderr:write("beamlua: ", what, "\n")
  return 1
end

local function require_global(name)
  return function()
    _G[name] = require(name)
  end
end

local function load_chunk(text)
  return load(text, "=(command line)")
end

local function load_script(path)
  if path == "-" then
    return load(io.read "a", "=stdin")
  end
  return loadfile(path)
end

local takes_value = {
  ["-e"] = load_chunk,
  ["-l"] = function(name)
    return require_global(name)
  end,
}

-- Returns the position of the script (or one past the end), the chunks to run before it, and whether -v was given; or nil and what
-- is wrong, and "script" if it is a chunk's syntax.
local function read_options(arguments)
  local chunks, version, i = {}, false, 1
  while arguments[i] and arguments[i]:find "^%-." do
    local option = arguments[i]
    if option == "--" then
      return i + 1, chunks, version
    elseif option == "-v" then
      version = true
    elseif option == "-i" then
      return nil, "-i (interactive mode) is not available yet: it comes with a later release"
    else
      local make = takes_value[option:sub(1, 2)]
      if not make then
        return nil, "unknown option '" .. option .. "'"
      end
      local value = option:sub(3)
      if value == "" then
        i = i + 1
        value = arguments[i]
      end
      if not value then
        return nil, option .. " wants an argument"
      end
      local chunk, message = make(value)
      if not chunk then
        return nil, message, "script"
      end
      chunks[#chunks + 1] = chunk
    end
    i = i + 1
  end
  return i, chunks, version
end

-- As in lua: the script at 0, its arguments from 1, the program and its options below.
local function make_arg(arguments, script)
  local arg = {}
  for i = 0, #arguments do
    arg[i - (arguments[script] and script or 0)] = arguments[i]
  end
  return arg
end

return function(host, arguments)
  require "host.core"(host)
  beam = require "beam" -- luacheck: globals beam
  local run = require "host.run"
  if arguments[1] == "serve" then
    return require "host.serve"(host, { table.unpack(arguments, 2) })
  elseif later[arguments[1]] then
    return complain("the command '" .. arguments[1] .. "' is not available yet: it comes with a later release")
  end
  local script, chunks, version = read_options(arguments)
  if not script and version == "script" then
    return fail(chunks)
  elseif not script then
    return complain(chunks)
  elseif version then
    print(("beamlua %s, %s"):format(host.version, _VERSION))
  elseif #chunks == 0 and not arguments[script] then
    return complain "a script is wanted"
  end
  arg = make_arg(arguments, script) -- luacheck: globals arg
  if arguments[script] then
    local chunk, message = load_script(arguments[script])
    if not chunk then
      return fail(message)
    end
    chunks[#chunks + 1] = chunk
  end
  return run(host, function()
    for _, chunk in ipairs(chunks) do
      chunk(table.unpack(arg))
    end
  end)
end
