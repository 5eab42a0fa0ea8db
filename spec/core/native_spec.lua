-- What is said when a part in C cannot be loaded: the loaders' texts, and real installations that are broken.
local native = require "beam.base.native"

local interpreter = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d%.%d"
local own = rawget(_G, "jit") and "jit" or _VERSION:match "%d%.%d"
local folder

local function run(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1; echo \"exit $?\"", "r"))
  local text = pipe:read "*a"
  pipe:close()
  return text:match "^(.*)exit 0\n$" or error(command .. ": " .. text)
end

-- What `chunk` prints in a fresh interpreter that finds C modules in `places` alone (templates of package.cpath).
local function fresh(chunk, places, environment)
  local paths = ("LUA_PATH='lua/?.lua;lua/?/init.lua' LUA_CPATH='%s'"):format(places)
  return run(("env %s %s %s -e '%s'"):format(paths, environment or "", interpreter, chunk))
end

-- A shared object of that name, of an empty source or of `source`, linked with `flags`.
local function compile(name, flags, source)
  local c = folder .. "/source.c"
  local file = assert(io.open(c, "w"))
  file:write(source or "")
  file:close()
  run(("mkdir -p $(dirname %s/%s) && gcc -shared -fPIC -o %s/%s %s %s"):format(folder, name, folder, name, c, flags))
end

setup(function()
  folder = run("mktemp -d"):match "[^\n]+"
end)

teardown(function()
  run("rm -rf " .. folder)
end)

describe("native.advice", function()
  local lost = "%s: cannot open shared object file: No such file or directory"
  local cases = { -- system, the loader's text, advice
    { "debian", lost:format "libwebsockets.so.17", "libwebsockets.so.17 is missing: apt-get install libwebsockets17;" },
    { "debian", lost:format "libcurl.so.4", "libcurl.so.4 is missing: apt-get install libcurl4;" },
    { "debian", lost:format "libwebsockets-evlib_uv.so", "apt-get install libwebsockets-evlib-uv;" },
    { "debian", lost:format "libcrypto.so.3", "apt-get install libssl3;" },
    { "debian", lost:format "libz.so.1", "apt-get install zlib1g;" },
    { "fedora", lost:format "libuv.so.1", "libuv.so.1 is missing: dnf install libuv;" },
    { "arch", lost:format "libcurl.so.4", "libcurl.so.4 is missing: pacman -S curl;" },
    {
      "alpine",
      "Error loading shared library libwebsockets.so.19: No such file or directory (needed by /usr/lib/lua/5.4/beam/core.so)",
      "libwebsockets.so.19 is missing: apk add libwebsockets;",
    },
    {
      nil,
      "dlopen(/x/beam/core.so, 0x0006): Library not loaded: /opt/homebrew/opt/libuv/lib/libuv.1.dylib\n  Referenced from: /x/beam/core.so",
      "libuv.1.dylib is missing: brew install libuv;",
    },
    { "none", lost:format "libuv.so.1", "apt-get install libuv1, or dnf install libuv, or pacman -S libuv, or apk add libuv, or brew install libuv;" },
    { "alpine", "Error relocating /x/core.so: lua_newuserdatauv: symbol not found", "it was built for another Lua, and this is Lua 5.9:" },
    { "debian", "/x/core.so: undefined symbol: lws_new", "another version than it was built with (no lws_new): build lua-beam again" },
    { "debian", "/x/core.so: undefined symbol: luaopen_beam_core", "it is not the module that its name says" },
    { "debian", "/x/core.so: wrong ELF class: ELFCLASS32", "it was built for another kind of machine" },
    { "homebrew", "mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64')", "it was built for another kind of machine" },
  }
  for _, case in ipairs(cases) do
    it("reads: " .. case[2]:sub(1, 90), function()
      local advice = native.advice(case[2], case[1], "Lua 5.9")
      assert.is_truthy(advice and advice:find(case[3], 1, true), advice)
    end)
  end

  it("has none for what it does not know", function()
    assert.is_nil(native.advice(lost:format "libfoo.so.1", "debian"))
    assert.is_nil(native.advice("boom", "debian"))
  end)
end)

describe("a broken installation", function()
  local sleep = [[print(select(2, pcall(function() require("beam").sleep(0) end)))]]

  it("lacks beam.core", function()
    local text = fresh(sleep, folder .. "/none/?.so")
    local version = _VERSION:match "%d%.%d"
    assert.is_truthy(text:find("beam: beam.core could not be loaded: the part of beam in C is not installed for Lua " .. version, 1, true), text)
    assert.is_truthy(text:find("luarocks --lua-version " .. version .. " install lua-beam", 1, true), text)
    assert.is_truthy(text:find("no file '" .. folder .. "/none/beam/core.so'", 1, true), text)
  end)

  it("has no lua-cjson, and does without", function()
    local chunk = [=[local beam, json = require "beam", require "beam.json" assert(not pcall(require, "cjson"))
      print(type(beam.null), json.encode(json.decode "{\"a\":[null,[]]}"), json.decode "null" == beam.null)]=]
    assert.equal("userdata\t{\"a\":[null,[]]}\ttrue\n", fresh(chunk, "build/lua/" .. own .. "/?.so"))
  end)

  it("says so every time", function()
    local chunk = [[local function call() return select(2, pcall(function() require("beam").call("x", {}) end)) end print(call() == call())]]
    assert.equal("true\n", fresh(chunk, folder .. "/none/?.so"))
  end)

  local alike = { ["5.1"] = "5.1", jit = "5.1" }
  for _, other in ipairs { "5.1", "jit", "5.3", "5.4", "5.5" } do
    local file = io.open("build/lua/" .. other .. "/beam/core.so", "rb")
    if file then
      file:close()
    end
    if file and (alike[other] or other) ~= (alike[own] or own) then
      it("has the beam.core of another Lua: " .. other, function()
        local text = fresh(sleep, "build/lua/" .. other .. "/?.so")
        local expected = "beam.core could not be loaded: build/lua/%s/beam/core.so was built for Lua %s, and this is %s: package.cpath"
        expected = expected:format(other, alike[other] or other, _VERSION)
        assert.is_truthy(text:find(expected, 1, true), text)
      end)
    end
  end

  it("lacks a shared library", function()
    compile("libwebsockets.so.99", "-Wl,-soname,libwebsockets.so.99")
    compile("lost/beam/core.so", "-Wl,--no-as-needed " .. folder .. "/libwebsockets.so.99")
    os.remove(folder .. "/libwebsockets.so.99")
    local text = fresh(sleep, folder .. "/lost/?.so")
    assert.is_truthy(text:find("beam: beam.core could not be loaded: libwebsockets.so.99 is missing: ", 1, true), text)
    assert.is_truthy(text:find("libwebsockets.so.99: cannot open shared object file", 1, true), text)
  end)

  it("has a file in its place that is no module", function()
    run("mkdir -p " .. folder .. "/text/beam && echo text > " .. folder .. "/text/beam/core.so")
    local text = fresh(sleep, folder .. "/text/?.so")
    assert.is_truthy(text:find("beam.core could not be loaded: ", 1, true) and text:find("core.so: file too short", 1, true), text)
  end)

  it("mixes two releases", function()
    local chunk = [[package.preload["beam.core"] = function() return { version = "0.0.9" } end ]] .. sleep
    assert.equal(
      "beam: its modules in Lua are of release 0.1.0, beam.core of 0.0.9: package.path and package.cpath lead to two installations\n",
      fresh(chunk, folder .. "/none/?.so")
    )
  end)

  it("lacks libwebsockets' plugin for libuv", function()
    compile("plugin.so", "-ldl", [[
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <string.h>
      void *dlopen(const char *path, int flags) {
        void *(*real)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
        return path && strstr(path, "evlib_uv") ? NULL : real(path, flags);
      }]])
    local text = fresh(
      [[local conn, err = require("beam").realtime("ws://127.0.0.1:1/", { retry = function() end }) print(conn, err)]],
      "build/lua/" .. own .. "/?.so",
      "LD_PRELOAD=" .. folder .. "/plugin.so"
    )
    assert.is_truthy(text:find("is its libuv plugin installed (Debian: libwebsockets-evlib-uv)", 1, true), text)
  end)
end)

describe("Lua 5.1 and LuaJIT", function()
  it("load each other's beam.core", function()
    if _VERSION ~= "Lua 5.1" then
      return
    end
    local places = "build/lua/" .. (own == "jit" and "5.1" or "jit") .. "/?.so"
    local chunk = [[local core = require("beam.core") print(core.can_yield(), coroutine.wrap(function() return core.can_yield() end)())
      require("beam").sleep(0.001)]]
    assert.equal(own == "jit" and "false\ttrue\n" or "true\ttrue\n", fresh(chunk, places))
  end)
end)
