-- Writes lua-beam-scm-1.rockspec from what is in the tree.   usage: lua5.4 tests/rockspec.lua > lua-beam-scm-1.rockspec
local function list(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

print [[
-- Made by tests/rockspec.lua: `make rockspec` after a file was added.
rockspec_format = "3.0"
package = "lua-beam"
version = "scm-1"
source = { url = "git+https://github.com/beam-lua/lua-beam.git" }
description = {
  summary = "Call Beam (beam.cloud) deployments: realtime apps over WebSocket, endpoints over HTTP, without blocking",
  homepage = "https://github.com/beam-lua/lua-beam",
  license = "MIT",
}
dependencies = { "lua >= 5.1, < 5.5", "lua-cjson >= 2.1.0" }
external_dependencies = {
  LIBUV = { header = "uv.h", library = "uv" },
  LIBWEBSOCKETS = { header = "libwebsockets.h", library = "websockets" },
  CURL = { library = "curl" }, -- no header: multiarch systems hide it
  OPENSSL = { header = "openssl/ssl.h", library = "ssl" },
  ZLIB = { header = "zlib.h", library = "z" },
}
build = {
  type = "builtin",
  modules = {
    ["beam.core"] = {
      defines = { "_GNU_SOURCE", "NDEBUG", "BEAM_PRIVATE" },
      incdirs = { "core", "$(LIBUV_INCDIR)", "$(LIBWEBSOCKETS_INCDIR)", "$(OPENSSL_INCDIR)", "$(ZLIB_INCDIR)" },
      libdirs = { "$(LIBUV_LIBDIR)", "$(LIBWEBSOCKETS_LIBDIR)", "$(CURL_LIBDIR)", "$(OPENSSL_LIBDIR)", "$(ZLIB_LIBDIR)" },
      libraries = { "websockets", "uv", "curl", "ssl", "crypto", "z", "pthread" },
      sources = {]]
for _, path in ipairs(list "LC_ALL=C ls core/*.c lua/binding/*.c") do
  print(('        "%s",'):format(path))
end
print [[
      },
    },]]
for _, path in ipairs(list "LC_ALL=C find lua/beam -name '*.lua' | LC_ALL=C sort") do
  local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  print(('    ["%s"] = "%s",'):format(name, path))
end
print [[
  },
}]]
