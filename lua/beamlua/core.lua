-- Where beam.core, the transport, comes from: a shared object beside the program, so that a script which needs no connection starts without
-- loading libwebsockets, libcurl and TLS.
local version = _VERSION:match "%d%.%d"
local places = {
  ("%%s/lua/%s/beam/%%s.so"):format(version), -- the build tree
  ("%%s/../lib/lua/%s/beam/%%s.so"):format(version), -- installed
}

local function exists(path)
  local file = io.open(path, "rb")
  return file and file:close()
end

local function find(folder, name)
  for _, place in ipairs(places) do
    local path = place:format(folder, name)
    if exists(path) then
      return path
    end
  end
  return package.searchpath("beam." .. name, package.cpath)
end

-- What it raises is for beam/base/native.lua to explain.
local function load_core(folder)
  local path, tried = find(folder, "core")
  if not path then
    local ours = "\n\tno file '" .. places[1]:format(folder, "core") .. "'\n\tno file '" .. places[2]:format(folder, "core") .. "'\n\t"
    error("it was not found beside beamlua; build it with `make all`:" .. ours .. tried, 0)
  end
  local open, message = package.loadlib(path, "luaopen_beam_core")
  if not open then
    error(message, 0)
  end
  return open("beam.core", path)
end

--- Makes `require "beam.core"` find it, and keeps note of the contexts that are made: host.contexts. host.find(name) says where another
--- shared object of ours is. host.core: it is loaded already (the rock's beamlua).
return function(host)
  host.contexts = {}
  function host.find(name)
    return find(host.folder, name)
  end
  package.preload["beam.core"] = function()
    local core = host.core or load_core(host.folder)
    local new = core.new
    function core.new(options)
      local ctx, err = new(options)
      if ctx then
        host.contexts[#host.contexts + 1] = ctx
        host.watch(ctx:waker())
      end
      return ctx, err
    end
    return core
  end
end
