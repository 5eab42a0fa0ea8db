-- Writes a rockspec from what is in the tree.
--   lua5.4 tests/rockspec.lua                    lua-beam-scm-1.rockspec: for `luarocks make` in the tree
--   lua5.4 tests/rockspec.lua VERSION URL MD5    a release's: for the tarball at URL (make dist)
--
-- LuaRocks copies a folder `lua`, if there is one, into the rock as it is (3.8, build/builtin.lua), with our C files and what was compiled
-- of them. So a release is built from inside core/, beside which there is none. In the tree itself it cannot be helped.
local version, url, md5 = ...
local up = version and "../" or ""

local function list(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

local function print_source()
  if not version then
    return print 'source = { url = "git+https://github.com/beam-lua/lua-beam.git" }'
  end
  print(('source = {\n  url = "%s",\n  md5 = "%s",\n  dir = "lua-beam-%s/core", -- no folder named lua in it, which LuaRocks would copy\n}')
    :format(url, md5, version))
end

-- One C module: its name, its sources, and what else it is compiled with.
local function print_c_module(name, sources, rest)
  print(('    ["%s"] = {\n%s      sources = {'):format(name, rest))
  for _, path in ipairs(sources) do
    print(('        "%s%s",'):format(up, path))
  end
  print "      },\n    },"
end

-- What is for libbeamhost alone, or is the rock's program itself.
local no_modules = { "^lua/embed/host%.lua$", "^lua/embed/options%.lua$", "^lua/beamlua/rock/beamlua%.lua$" }

local function is_module(path)
  for _, pattern in ipairs(no_modules) do
    if path:find(pattern) then
      return false
    end
  end
  return true
end

local function print_lua_modules(folder, prefix)
  for _, path in ipairs(list("LC_ALL=C find " .. folder .. " -name '*.lua' | LC_ALL=C sort")) do
    local name = path:gsub("^" .. folder, prefix):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    if is_module(path) then
      print(('    ["%s"] = "%s%s",'):format(name, up, path))
    end
  end
end

print(version and "-- Made by tests/rockspec.lua: `make dist`." or "-- Made by tests/rockspec.lua: `make rockspec` after a file was added.")
print(([[
rockspec_format = "3.0"
package = "lua-beam"
version = "%s-1"]]):format(version or "scm"))
print_source()
print [[
description = {
  summary = "Call Beam (beam.cloud) deployments: realtime apps over WebSocket, endpoints over HTTP, without blocking",
  homepage = "https://github.com/beam-lua/lua-beam",
  license = "MIT",
}
dependencies = { "lua >= 5.1, < 5.6" }
external_dependencies = {
  LIBUV = { header = "uv.h", library = "uv" },
  LIBWEBSOCKETS = { header = "libwebsockets.h", library = "websockets" },
  CURL = { library = "curl" }, -- no header: multiarch systems hide it
  OPENSSL = { header = "openssl/ssl.h", library = "ssl" },
  ZLIB = { header = "zlib.h", library = "z" },
}
build = {
  type = "builtin",
  modules = {]]
print_c_module("beam.core", list "LC_ALL=C find core lua/binding -name '*.c' | LC_ALL=C sort", ([[
      defines = { "_GNU_SOURCE", "NDEBUG", "BEAM_PRIVATE" },
      incdirs = { "%score", "%slua/binding", "$(LIBUV_INCDIR)", "$(LIBWEBSOCKETS_INCDIR)", "$(CURL_INCDIR)",
        "$(OPENSSL_INCDIR)", "$(ZLIB_INCDIR)" },
      libdirs = { "$(LIBUV_LIBDIR)", "$(LIBWEBSOCKETS_LIBDIR)", "$(CURL_LIBDIR)", "$(OPENSSL_LIBDIR)", "$(ZLIB_LIBDIR)" },
      libraries = { "websockets", "uv", "curl", "ssl", "crypto", "z", "pthread" },
]]):format(up, up))
local process = "lua/beamlua/process/"
local host = "ls " .. process .. "coroutines.c " .. process .. "files.c " .. process .. "process.c " .. process .. "signals.c "
  .. "lua/beamlua/rock/host.c"
print_c_module("beam.host", list(host), ([[
      defines = { "_GNU_SOURCE", "NDEBUG", "BEAM_PRIVATE" },
      incdirs = { "%score", "%slua" },
]]):format(up, up))
print_lua_modules("lua/beam", "beam")
print_lua_modules("lua/embed", "beam/embed")
print_lua_modules("lua/beamlua", "beam/beamlua")
print(([[
  },
  install = { bin = { beamlua = "%slua/beamlua/rock/beamlua.lua" } },
}]]):format(up))
