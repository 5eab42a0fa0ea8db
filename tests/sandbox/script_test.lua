-- sandbox.script as its contract has it: calls, values, errors, limits, grants.
local script = require "sandbox.script"
local cases = require "script_cases"
local test, same, pack, new, loaded, limits = cases.test, cases.same, cases.pack, cases.new, cases.loaded, cases.limits

-- What a call's error says, without what is not looked at.
local function fields(ok, err, ...)
  return { ok, err.kind, err.hook, err.message, err.file, err.line, err.limit, err.broken, select("#", ...) }
end

-- ---- Calls and values ----

test("values go in and come back as they are", function()
  local object = loaded "return { message = function(...) return ... end }"
  local big = math.mininteger
  local given = pack(nil, true, false, big, 1.0, 0x1p-1074, "a\0b", "")
  same(pack(true, table.unpack(given, 1, given.n)), pack(object:call("message", table.unpack(given, 1, given.n))))
  same({ true, { 1, { x = { 2.5, "y" } }, [10] = "z", [1.5] = true } }, { object:call("message", { 1, { x = { 2.5, "y" } }, [10] = "z", [1.5] = true }) })
  same({ n = 1, true }, pack(object:call "message"))
  same({ n = 3, true, nil, nil }, pack(object:call("message", nil, nil)))
end)

test("null and the marks of arrays are carried", function()
  local object = loaded [[
    return {
      message = function(m) return m.null == beam.null, m end,
      outgoing = function() return { list = beam.array(), null = beam.null, items = beam.array { 1 } } end,
    }]]
  local values = package.loaded["beam.json.values"]
  local null = values.null
  local ok, is_null, back = object:call("message", { null = null, list = setmetatable({}, values.array_mt) })
  same({ true, true, true, true }, { ok, is_null, back.null == null, getmetatable(back.list) == values.array_mt })
  local _, result = object:call "outgoing"
  same({ true, true, true, 1 }, {
    getmetatable(result.list) == values.array_mt,
    getmetatable(result.items) == values.array_mt,
    result.null == null,
    result.items[1],
  })
end)

test("values are copies, and metatables stay behind", function()
  local object = loaded "local kept return { message = function(m) kept = kept or m m.x = 2 return kept end }"
  local given = setmetatable({ x = 1 }, { __index = error, __pairs = error, __len = error })
  local _, result = object:call("message", given)
  same({ 1, 2, nil }, { given.x, result.x, getmetatable(result) })
end)

test("what cannot be copied is named, with its place", function()
  local object = loaded [[
    local t = {}
    t.t = { t }
    local deep = {}
    for i = 1, 200 do deep = { deep } end
    local values = { f = { a = { 1, print } }, cycle = t, deep = deep, key = { [true] = 1 }, thread = coroutine.create(print) }
    return { message = function(what) return values[what] end }]]
  local function words(what)
    local ok, err = object:call("message", what)
    return { ok, err.kind, err.message }
  end
  same({ nil, "script", "hook 'message': its result: a function cannot be copied (at .a[2])" }, words "f")
  same({ nil, "script", "hook 'message': its result: a table that contains itself cannot be copied (at .t[1])" }, words "cycle")
  same({ nil, "script", "hook 'message': its result: a thread cannot be copied" }, words "thread")
  same({ nil, "script", "hook 'message': its result: a key that is neither a string nor a number cannot be copied" }, words "key")
  same("hook 'message': its result: tables more than 128 deep cannot be copied (at [1][1]", words("deep")[3]:sub(1, 81))
  same({ false, "message: a function cannot be copied (at .x)" }, { pcall(object.call, object, "message", { x = print }) })
  local cycle = {}
  cycle[1] = cycle
  same({ false, "message: a table that contains itself cannot be copied (at [1])" }, { pcall(object.call, object, "message", cycle) })
  same({ true, nil }, { object:call("message", "none") })
end)

test("a result may not be too much at once", function()
  local object = loaded([[
    local t = { 1 }
    for _ = 1, 30 do t = { t, t } end
    local long, texts = ("x"):rep(1 << 20), {}
    for i = 1, 70 do texts[i] = long end
    return {
      open = function() return t end,
      close = function() return texts end,
      tick = function() return table.unpack({}, 1, 300) end,
    }]], { memory = 16 << 20, instructions = 10000000, seconds = 60 })
  same("hook 'open': its result: more than 1000000 values cannot be copied at once", select(2, object:call "open").message:match "^[^(]*once")
  same("hook 'close': its result: more than 64 MiB of strings cannot be copied at once", select(2, object:call "close").message:match "^[^(]*once")
  same("hook 'tick': its result: more than 250 results cannot be copied", select(2, object:call "tick").message)
end)

test("hooks are looked up once; other functions are called by name", function()
  local object = loaded [[
    local hooks = { message = function() return 1 end, add = function(a, b) return a + b end }
    hooks.open = function() hooks.message = nil hooks.add = nil return 2 end
    return hooks]]
  same({ true, true, false, false }, { object:has "message", object:has "add", object:has "close", object:has "nonsense" })
  same({ true, 2 }, { object:call "open" })
  same({ true, 1 }, { object:call "message" })
  same({ true, 3 }, { object:call_function("add", 1, 2) })
  same({ n = 1, true }, pack(object:call("close", 1006)))
  same({ false, "call: there is no hook 'mesage'; did you mean 'message'?" }, { pcall(object.call, object, "mesage") })
  same({ false, "call_function: the script has no function 'sub'" }, { pcall(object.call_function, object, "sub") })
end)

test("what a script may return", function()
  local function message(text)
    local ok, err = new(limits):load(text, "@chat.lua")
    return ok or err.message
  end
  same("the script: the script returned nothing: it has to return a table of hooks", message "")
  same("the script: the script returned string: it has to return a table of hooks", message "return 'x'")
  same("the script: unknown hook 'on_mesage'; did you mean 'message'?", message "return { on_mesage = print }")
  same("the script: 'message' is a number: a hook is a function", message "return { message = 1 }")
  same("the script: the script's table has a key that is a number: hooks have names", message "return { print }")
  same("chat.lua:2: unexpected symbol near '='", message "local x\nx = = 1")
  same("chat.lua:1: attempt to load a binary chunk (mode is 't')", "chat.lua:1: " .. message("\27Lua"):match "attempt.*")
  same(true, message "#!/usr/bin/env beamlua\nreturn {}")
  same(true, message "\xEF\xBB\xBFreturn {}")
  same("chat.lua:2: oh", message "\xEF\xBB\xBF#!/usr/bin/env beamlua\nerror 'oh'")
end)

-- ---- Errors ----

test("an error names hook, file and line", function()
  local object = loaded [[
    local function inner(m) return m.x.y end
    return {
      message = function(m)
        inner(m)
      end,
      close = function() error "went wrong" end,
      open = function() error("no place", 0) end,
      tick = function() error { message = "a table", code = 7 } end,
      retry = function() error(print) end,
      save = function() coroutine.wrap(function() error "inside" end)() end,
      restore = function(n) error(n) end,
      connect = function() error("connect: 127.0.0.1:8080: refused", 0) end,
    }]]
  local words = "hook 'message', chat.lua:1: attempt to index a nil value (field 'x')"
  same({ nil, "script", "message", words, "chat.lua", 1, nil, nil, 0 }, fields(object:call("message", {})))
  local _, err = object:call("message", {})
  same("chat.lua:1: in upvalue 'inner'\nchat.lua:4: in function <chat.lua:3>", err.traceback)
  same(err.message .. "\n" .. err.traceback, tostring(err))
  same({ nil, "script", "close", "hook 'close', chat.lua:6: went wrong", "chat.lua", 6, nil, nil, 0 }, fields(object:call "close"))
  same({ nil, "script", "open", "hook 'open', chat.lua:7: no place", "chat.lua", 7, nil, nil, 0 }, fields(object:call "open"))
  same({ nil, "script", "tick", "hook 'tick', chat.lua:8: a table", "chat.lua", 8, nil, nil, 0 }, fields(object:call "tick"))
  same({ message = "a table", code = 7 }, select(2, object:call "tick").cause)
  same("hook 'retry', chat.lua:9: it raised a function", select(2, object:call "retry").message)
  same("hook 'save', chat.lua:10: inside", select(2, object:call "save").message)
  same("hook 'restore', chat.lua:11: 9007199254740993", select(2, object:call("restore", (1 << 53) + 1)).message)
  same("hook 'restore', chat.lua:11: 0.5", select(2, object:call("restore", 0.5)).message)
  words = "hook 'connect', chat.lua:12: connect: 127.0.0.1:8080: refused"
  same({ nil, "script", "connect", words, "chat.lua", 12, nil, nil, 0 }, fields(object:call "connect"))
end)

test("an error of megabytes is told in short", function()
  local object = loaded "return { tick = function() error(('x'):rep(4000000)) end }"
  local _, err = object:call "tick"
  same({ true, true }, { #err.message < 2100, err.message:find("hook 'tick', chat.lua:1: xxx", 1, true) == 1 })
end)

test("globals are strict", function()
  local function message(text, options)
    local ok, err = new(options or limits):load(text, "@chat.lua")
    return ok or err.message
  end
  same("chat.lua:2: undeclared global 'count'", message "local x = 1\nx = count")
  same("chat.lua:1: assignment to the undeclared global 'count': make it local", message "count = 1")
  same("chat.lua:1: assignment to the undeclared global 'f': make it local", message "function f() end")
  same(true, message "rawset(_G, 'count', 1) count = count + 1 print = nil return {}")
  same(true, message("count = 1 return { nothing = count and nothing }", { strict = false }))
end)

-- ---- Limits ----

test("each limit has its words, and the script goes on with the next call", function()
  local object = loaded([[
    local n = 0
    return {
      message = function() n = n + 1 return n end,
      open = function() while true do n = n + 0 end end,
      close = function() local t = {} while true do t = { t } end end,
    }]], { instructions = 2000000, memory = 1 << 20 })
  same({ nil, "script", "open", "hook 'open' of chat.lua:4 used its 2000000 instructions", "chat.lua", 4, "instructions", nil, 0 }, fields(object:call "open"))
  same({ true, 1 }, { object:call "message" })
  same({ nil, "script", "close", "hook 'close' of chat.lua:5 used its 1 MiB of memory", "chat.lua", 5, "memory", nil, 0 }, fields(object:call "close"))
  same({ true, 2 }, { object:call "message" })
  local timed = loaded("return { tick = function() while true do end end, message = function() return 1 end }", { seconds = 0.01 })
  same({ nil, "script", "tick", "hook 'tick' of chat.lua:1 used its 10 ms", "chat.lua", 1, "time", nil, 0 }, fields(timed:call "tick"))
  same({ true, 1 }, { timed:call "message" })
  local hasty = new { seconds = 1e-10, instructions = 1000000 }
  same("time", select(2, hasty:load("for i = 1, 1e7 do end return {}", "@chat.lua")).limit)
  same("chat.lua:1 used its 2000000 instructions", select(2, new({ instructions = 2000000 }):load("while true do end", "@chat.lua")).message)
end)

test("a script that does not unwind is given up, and says so from then on", function()
  local object = loaded([[
    local function endless() while true do end end
    local stubborn = setmetatable({}, { __close = function() pcall(endless) pcall(endless) end })
    local function deeper(n)
      local _ <close> = stubborn
      if n > 0 then deeper(n - 1) end
      endless()
    end
    return { tick = function() pcall(deeper, 10000) end, message = function() return 1 end }]], { instructions = 1000000 })
  local expected = "hook 'tick' of chat.lua:1 used its 1000000 instructions and could not be unwound: the script was given up"
  same({ nil, "script", "tick", expected, "chat.lua", 1, "instructions", true, 0 }, fields(object:call "tick"))
  same({ nil, "script", "tick", expected, "chat.lua", 1, "instructions", true, 0 }, fields(object:call "message"))
  same("sandbox.script (given up)", tostring(object))
  object:close()
end)

test("usage tells memory, peak, instructions and time of the latest call", function()
  local object = loaded "return { tick = function(n) local s = 0 for i = 1, n do s = s + i end end, open = function() return #('x'):rep(1 << 20) end }"
  object:call("tick", 100000)
  local usage = object:usage()
  same(true, usage.instructions > 150000 and usage.instructions < 600000 and usage.seconds > 0 and usage.memory > 10000)
  object:call "open"
  same(true, object:usage().peak > 1 << 20 and object:usage().instructions < 50000)
end)

test("calls that copy much and do little do not fill the memory", function()
  local object = loaded("return { message = function() end }", { memory = 2 << 20, seconds = 5 })
  local message = {}
  for i = 1, 100 do
    message[i] = { id = i, text = "text " .. i }
  end
  for _ = 1, 2000 do
    assert(object:call("message", message))
  end
  same(true, object:usage().peak < 3 << 19)
end)

test("a deep C stack, by coroutines that close each other, is an error", function()
  local object = loaded([[
    local threads = {}
    for i = 1, 20000 do
      threads[i] = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function() assert(coroutine.close(threads[i + 1])) end })
        coroutine.yield()
      end)
      coroutine.resume(threads[i])
    end
    return { tick = function() return coroutine.close(threads[1]) end }]], { seconds = 20, memory = 256 << 20 })
  local ok, closed, message = object:call "tick"
  same({ true, false, true }, { ok, closed, message:find "C stack overflow$" ~= nil })
end)

test("all of a state is freed, by close and by the collector", function()
  for _ = 1, 20 do
    loaded("return { tick = function() while true do end end }", { instructions = 10000 }):call "tick"
  end
  collectgarbage()
  local object <close> = loaded "return {}"
  object:close()
  object:close()
  same({ false, "this script is closed" }, { pcall(object.call, object, "message") })
end)

-- ---- What is provided ----

test("provided functions take and give copies", function()
  local seen
  local object = loaded("return { message = function(m) return beam.both(m, 1) end }", limits, {
    both = function(...)
      seen = pack(...)
      return seen[1], "two", nil
    end,
  })
  same({ n = 4, true, { a = { 1 } }, "two", nil }, pack(object:call("message", { a = { 1 } })))
  same({ n = 2, { a = { 1 } }, 1 }, seen)
end)

test("their errors are errors in the script", function()
  local object = loaded([[
    return {
      message = function() return beam.fail() end,
      open = function() return pcall(beam.fail) end,
      close = function() return beam.refuse() end,
      tick = function() return beam.give() end,
      retry = function() return beam.take(print) end,
    }]], limits, {
    fail = function()
      error("no such thing", 0)
    end,
    refuse = function()
      return nil, setmetatable({}, { __tostring = function()
        return "closed: it is"
      end })
    end,
    give = function()
      return { f = print }
    end,
    take = print,
  })
  same({ nil, "script", "message", "hook 'message', chat.lua:2: beam.fail: no such thing", "chat.lua", 2, nil, nil, 0 }, fields(object:call "message"))
  same({ true, false, "beam.fail: no such thing" }, { object:call "open" })
  same({ n = 3, true, nil, "closed: it is" }, pack(object:call "close"))
  same("hook 'tick', chat.lua:5: beam.give: its result: a function cannot be copied (at .f)", select(2, object:call "tick").message)
  same("hook 'retry', chat.lua:6: beam.take: a function cannot be copied", select(2, object:call "retry").message)
end)

test("what they give and the script cannot be given leaves nothing behind", function()
  local object = loaded("return { tick = function() for _ = 1, 6000 do pcall(beam.many) end beam.many() end }", { memory = 1 << 20 }, {
    many = function()
      return table.unpack({ [200] = print }, 1, 200)
    end,
  })
  same("hook 'tick', chat.lua:1: beam.many: its result: a function cannot be copied", select(2, object:call "tick").message)
end)

test("they may call the script again, within its budget", function()
  local object
  object = loaded([[
    return {
      message = function(n) return n > 0 and beam.again(n - 1) or 'bottom' end,
      tick = function() return beam.run() end,
      open = function() while true do end end,
    }]], { instructions = 100000 }, {
    again = function(n)
      return select(2, object:call("message", n))
    end,
    run = function()
      local ok, err = object:call "open"
      return ok, err.message
    end,
  })
  same({ true, "bottom" }, { object:call("message", 20) })
  same("hook 'tick' of chat.lua:4 used its 100000 instructions", select(2, object:call "tick").message)
  same({ true, "bottom" }, { object:call("message", 1) })
end)

test("a script cannot be closed or loaded while it runs", function()
  local object
  local said = {}
  object = loaded("return { tick = function() beam.close() beam.load() end }", limits, {
    close = function()
      said[1] = select(2, pcall(object.close, object))
    end,
    load = function()
      said[2] = select(2, pcall(object.load, object, "return {}", "=x"))
    end,
  })
  same({ true }, { object:call "tick" })
  same({ "close: a call of this script is on the stack", "load: a script is loaded already; a reload is a new sandbox.script" }, said)
  same({ false, "provide: 'x' comes too late, the script is loaded" }, { pcall(object.provide, object, "x", print) })
end)

test("print goes to what is provided as log", function()
  local lines = {}
  local object = loaded("print('a', 1, nil, 2.5) return {}", limits, {
    log = function(...)
      lines[#lines + 1] = pack(...)
    end,
  })
  same({ { n = 1, "a\t1\tnil\t2.5" } }, lines)
  object:close()
  same("chat.lua:1: print: the host has provided no log", select(2, new(limits):load("print(1)", "@chat.lua")).message)
end)

-- ---- What is granted ----

local function globals(options)
  local object = new(options, {
    log = function() end,
  })
  assert(object:load([[
    local names = {}
    for _, library in ipairs { 'os', 'io', 'debug', 'package', 'string' } do
      for name in pairs(rawget(_G, library) or {}) do names[library .. '.' .. name] = true end
    end
    for name in pairs(_G) do names[name] = true end
    return { save = function() return names end }]], "@x"))
  return (select(2, object:call "save"))
end

test("the safe subset, and each grant by its name", function()
  local safe = globals {}
  for _, name in ipairs {
    "io", "debug", "package", "require", "load", "loadfile", "dofile", "collectgarbage", "string.dump", "os.execute", "os.getenv", "os.exit",
  } do
    same({ name, nil }, { name, safe[name] })
  end
  for _, name in ipairs { "pcall", "os.time", "os.clock", "os.date", "string.format", "coroutine", "math", "utf8", "beam", "print" } do
    same({ name, true }, { name, safe[name] })
  end
  for _, name in ipairs { "os.getenv", "io.open", "debug.traceback", "load", "require", "collectgarbage", "string.dump", "os.tmpname" } do
    local granted, more = globals { allow = { name } }, {}
    for global in pairs(granted) do
      more[#more + 1] = not safe[global] and global or nil
    end
    table.sort(more)
    local library = name:match "^(%a+)%."
    same({ name, { library and not safe[library] and library or name, library and not safe[library] and name or nil } }, { name, more })
  end
  same({ true, true, nil }, { globals({ allow = { "io" } })["io.popen"], globals({ allow = { "os" } })["os.exit"], globals({ allow = { "os" } }).io })
  local all = globals { allow = "all" }
  same({ true, true, true, true }, { all["package.loadlib"], all["debug.sethook"], all["string.dump"], all["io.open"] })
end)

test("require finds modules in Lua only, load takes text only", function()
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir " .. folder)
  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  write("good.lua", "local name = ... return { name = name }")
  write("binary.lua", string.dump(function() end))
  local object = loaded([[
    return {
      open = function(path)
        local package = require 'package'
        package.path = path .. '/?.lua'
        return require('good').name, package.loadlib == nil, pcall(require, 'binary')
      end,
      close = function() return load('return 1 + ...')(2), pcall(load, 'x', 'x', 'b'), load('= 1', '=t') end,
      tick = function(path) return select(2, loadfile(path .. '/binary.lua')) end,
    }]], { allow = { "require", "load", "loadfile" } })
  local ok, name, no_loadlib, required, message = object:call("open", folder)
  same({ true, "good", true, false, true }, { ok, name, no_loadlib, required, message:find "attempt to load a binary chunk" ~= nil })
  same({ true, 3, true, nil, "t:1: unexpected symbol near '='" }, { object:call "close" })
  same(true, select(2, object:call("tick", folder)):find "attempt to load a binary chunk" ~= nil)
  os.execute("rm -r " .. folder)
end)

test("mistakes in the options are raised", function()
  local function message(options)
    return select(2, pcall(script.new, options))
  end
  same("script.new: unknown option 'memroy'; did you mean 'memory'?", message { memroy = 1 })
  same("script.new: option 'memory' is a number of bytes, at least 262144, or false", message { memory = 100 })
  same("script.new: option 'instructions' is a whole number, at least 1", message { instructions = 1.5 })
  same("script.new: option 'seconds' is a number above 0, at most 1000000", message { seconds = -1 })
  same("script.new: option 'allow': 'os.genv' cannot be granted; did you mean 'os.getenv'?", message { allow = { "os.genv" } })
  same("script.new: option 'allow' is a list of names, or \"all\", not a number", message { allow = 1 })
end)

return cases.run(os.getenv "SCRIPT_ONLY")
