-- The beamlua of the rock: the command line of lua/beamlua/ on the tree's own Lua, as LuaRocks builds no programs. It differs from the one
-- that `make install` brings (docs/install.md): the Lua is the tree's, there is no line editor and no sandbox (--watch, connection
-- scripts), and before Lua 5.4 a coroutine that computes is interrupted by the second Ctrl-C only.
--
-- The modules beamlua.… and embed.… are beam.beamlua.… and beam.embed.… in the rock. On an older Lua they find what they use of Lua 5.4 in
-- an environment of theirs.
local environment = require "beam.beamlua.rock.environment"

local function searcher(name)
  if name == "sandbox.script" then
    error("this needs the program beamlua of `make install`: the rock's has no sandbox for scripts", 0)
  elseif not name:find "^beamlua%." and not name:find "^embed%." then
    return nil
  end
  local path, problem = environment.find("beam." .. name)
  if not path then
    return problem
  end
  return assert(environment.load(path))
end

local function arguments()
  local list = { [0] = "beamlua" }
  for i, value in ipairs(arg) do
    list[i] = value
  end
  return list
end

local function make_host()
  local native = require "beam.base.native"
  local host = native.load "beam.host"
  host.folder = arg[0]:match "^(.*)/[^/]*$" or "."
  host.core = native.core()
  package.loaded["beam.core"] = nil -- beamlua/core.lua wraps it
  function host.has_module()
    return false
  end
  return host
end

local function explain(problem)
  io.stderr:write("beamlua: ", tostring(problem), "\n")
  return 1
end

table.insert(package.searchers or package.loaders, 2, searcher)
local made, host = pcall(make_host)
if not made then
  os.exit(explain(host))
end
local ok, code = pcall(function()
  return require "beamlua.main"(host, arguments())
end)
local signal = host.received()
if not ok and not signal then
  code = explain(code)
end
host.restore_signals()
os.exit(signal and 128 + signal or code)
