-- The libraries of a script under limits, beside Lua's own: the same calls, the same results.
local cases = require "script_cases"
local test, same, pack, show, loaded = cases.test, cases.same, cases.pack, cases.show, cases.loaded

local function runner()
  return loaded([[
    return { run = function(library, name, ...)
      return pcall(_G[library][name], ...)
    end, gmatch = function(s, p)
      return pcall(function()
        local all = {}
        for a, b in s:gmatch(p) do
          all[#all + 1] = { a, b }
        end
        return all
      end)
    end, list = function(name, t, ...)
      return pcall(table[name], t, ...), t
    end }]], { memory = 64 << 20, seconds = 60 })
end

local function both(object, name, case)
  local expected = pack(pcall(string[name], table.unpack(case)))
  same(expected, pack(select(2, object:call_function("run", "string", name, table.unpack(case)))))
end

local pieces = {
  "a", "b", "ab", ".", "%a", "%d", "%W", "%s", "[ab]", "[^a]", "[a-c]", "[%d_]", "[]]", "[^]]", "%b()", "%f[%a]", "(", ")", "()", "*", "+", "-",
  "?", "%1", "%2", "^", "$", "%", "[", "%.", "\0", "%z", "[%a-z]", "[a-]", "(a)", "(.-)", "%0", "%f", "%b(",
}
local subjects = {
  "", "a", "aab", "abcabc", "(a(b)c)", "  x = 12, y = 3 ", "aaaaaaaaab", "\0a\0", "THE (quick) fox", "a.b.c", "]]]", "x-y-z", "\xff\xfe a",
}

local function random_pattern()
  local parts = {}
  for i = 1, math.random(1, 5) do
    parts[i] = pieces[math.random(#pieces)]
  end
  return table.concat(parts)
end

-- Where Lua reads beyond the pattern, or has other words for the same mistake, only the failure is compared.
local function comparable(result)
  if not result[1] and type(result[2]) == "string" then
    return { false }
  end
  return result
end

test("patterns match as in Lua: 20,000 at random", function()
  local object = runner()
  math.randomseed(tonumber(os.getenv "BEAM_SEED") or 7)
  for _ = 1, 20000 do
    local subject, pattern = subjects[math.random(#subjects)], random_pattern()
    local name = ({ "find", "match", "gsub" })[math.random(3)]
    local third = name == "gsub" and ({ "x", "<%0>", "%1", "%%", "%2" })[math.random(5)] or math.random(-3, 4)
    local expected = comparable(pack(pcall(string[name], subject, pattern, third)))
    local got = comparable(pack(select(2, object:call_function("run", "string", name, subject, pattern, third))))
    if show(expected) ~= show(got) then
      error(("string.%s(%q, %q, %s): expected %s, got %s"):format(name, subject, pattern, show(third), show(expected), show(got)))
    end
    local all = comparable(pack(pcall(function()
      local list = {}
      for a, b in subject:gmatch(pattern) do
        list[#list + 1] = { a, b }
      end
      return list
    end)))
    got = comparable(pack(select(2, object:call_function("gmatch", subject, pattern))))
    if show(all) ~= show(got) then
      error(("gmatch(%q, %q): expected %s, got %s"):format(subject, pattern, show(all), show(got)))
    end
  end
end)

test("the words for a pattern's mistakes are Lua's", function()
  local object = runner()
  for _, pattern in ipairs { "(", ")", "%", "[", "[a", "[^", "[%", "%f", "%b", "%1", "(a)%2", ("()"):rep(40) } do
    both(object, "find", { "aa", pattern })
  end
  both(object, "find", { ("a"):rep(500), ("a-"):rep(300) .. "b" })
  for _, case in ipairs { { "a", "a", "%2" }, { "a", "a", "%" }, { "a", "a", "%x" }, { "a", "a", true }, { "a", "a", { a = {} } } } do
    both(object, "gsub", case)
  end
end)

-- Much to write is written in pieces; small formats are Lua's own.
test("format writes the same in pieces", function()
  local object = runner()
  local bytes = { "\0", "\1", "1", "9", "\n", "\r", '"', "\\", "x", "\xff", "\127" }
  for _ = 1, 200 do
    local parts = {}
    for i = 1, math.random(3000, 9000) do
      parts[i] = bytes[math.random(#bytes)]
    end
    local text = table.concat(parts)
    both(object, "format", { "<%q>%%%q%s%5d|%-8s|", text, text:sub(-2), text, 7, "ab" })
  end
  local long = ("x"):rep(50000)
  for _, case in ipairs {
    { "%q" .. long }, { "%q%q", long }, { "%5q", long }, { "%q%", long }, { "%q%y", long, 1 }, { "%q %d", long, "x" }, { "%q%q%q", long, 1, 0.1 },
    { "%q%%", long }, { long .. "%%%q", long }, { "%q%q", long, {} }, { ("%.99f "):rep(50), table.unpack({ 1e308, 2, 3e300, "4e99" }, 1, 4) },
    { "%q%-20.3s|%c%i%u", long, "abcdef", 65, 3, 4 }, { "%q%a%g%s%s", long, 1.5, 1e300, true, false }, { "%q" }, { "%" }, { "" },
  } do
    local expected = comparable(pack(pcall(string.format, table.unpack(case))))
    same(expected, comparable(pack(select(2, object:call_function("run", "string", "format", table.unpack(case))))))
  end
end)

test("gsub and rep with all kinds of arguments", function()
  local object = runner()
  for _, case in ipairs {
    { "hello world", "%w+", { hello = "bye", world = false } }, { "abc", "", "-" }, { "abc", "b*", "x" }, { "abc", "%w", "%0%0", 2 },
    { "a b", "^%s*(.-)%s*$", "%1" }, { "12 34", "%d", 5 }, { "abc", "()", "%1" }, { "aXb", "%u", "%%" }, { "x", "x", "", -1 },
  } do
    both(object, "gsub", case)
  end
  for _, case in ipairs {
    { "ab", 3 }, { "ab", 3, ", " }, { "", 5 }, { "", 3, "-" }, { "x", 0 }, { "x", -1 }, { "x", 1, "long" }, { "xy", math.maxinteger }, { "x", 2.5 },
  } do
    both(object, "rep", case)
  end
end)

test("the table functions do what Lua's do: 5,000 at random", function()
  local object = runner()
  math.randomseed(tonumber(os.getenv "BEAM_SEED") or 11)
  local function random_list()
    local t = {}
    for i = 1, math.random(0, 30) do
      t[i] = math.random(1, 20)
    end
    return t
  end
  local makers = {
    insert = function(t)
      return math.random(-1, #t + 2), 99
    end,
    remove = function(t)
      return math.random(-1, #t + 2)
    end,
    move = function()
      return math.random(-2, 8), math.random(-2, 12), math.random(-2, 12)
    end,
    concat = function()
      return ({ "", ", " })[math.random(2)], math.random(-1, 3), math.random(-1, 12)
    end,
    unpack = function()
      return math.random(-2, 3), math.random(-2, 12)
    end,
    sort = function() end,
  }
  for _ = 1, 5000 do
    local name = ({ "insert", "remove", "move", "concat", "unpack", "sort" })[math.random(6)]
    local list = random_list()
    local arguments = pack(makers[name](list))
    local copy = table.move(list, 1, #list, 1, {})
    local expected = comparable(pack(pcall(table[name], copy, table.unpack(arguments, 1, arguments.n))))
    local got = pack(select(2, object:call_function("list", name, list, table.unpack(arguments, 1, arguments.n))))
    same(copy, table.remove(got))
    got.n = got.n - 1
    if expected[1] and name ~= "move" then
      same({ name, expected[1] }, { name, got[1] })
    end
  end
end)

test("sort is stable in what it promises: any comparison, any size", function()
  local object = loaded [[
    local function sorted(n, compare)
      local t = {}
      for i = 1, n do t[i] = (i * 7919) % 1009 end
      table.sort(t, compare)
      for i = 2, n do
        if compare and compare(t[i], t[i - 1]) or not compare and t[i] < t[i - 1] then return false end
      end
      return #t == n
    end
    return { open = function()
      for n = 0, 70 do
        if not sorted(n) or not sorted(n, function(a, b) return a > b end) then return n end
      end
      return sorted(5000), sorted(3000, function(a, b) return a > b end)
    end, close = function()
      local t = { 3, 1, 2, {} }
      local ok, message = pcall(table.sort, t)
      return ok, message, t[1], t[2], t[3]
    end }]]
  same({ true, true, true }, { object:call "open" })
  same({ true, false, "attempt to compare table with number", 3, 1, 2 }, { object:call "close" })
end)

test("pcall, xpcall and coroutines do what Lua's do", function()
  local text = [[
    local function body()
      local out = {}
      local function add(...) out[#out + 1] = table.pack(...) end
      add(pcall(error, "x")) add(pcall(error)) add(pcall(error, { 1 }) ) add(pcall(function(...) return ... end, 1, nil, 3))
      add(xpcall(function(...) return select('#', ...) end, print, 1, 2)) add(xpcall(error, function(m) return "<" .. tostring(m) .. ">" end, "e"))
      add(xpcall(error, function() error "again" end, "e") and 1 or 2)
      local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) error("at " .. b, 0) end)
      add(coroutine.resume(co, 1)) add(coroutine.status(co)) add(coroutine.resume(co, 5)) add(coroutine.status(co))
      add(coroutine.resume(co)) add(coroutine.close(co))
      local f = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i, i * i) end return "end" end)
      add(f()) add(f()) add(f()) add(pcall(f))
      add(pcall(coroutine.wrap(function() error({ code = 5 }) end)))
      local closed = {}
      local note = setmetatable({}, { __close = function(_, e) closed[#closed + 1] = tostring(e) end })
      local c2 = coroutine.create(function() local _ <close> = note coroutine.yield() end)
      coroutine.resume(c2) add(coroutine.close(c2)) add(closed[1])
      local inside = coroutine.wrap(function() return pcall(function() return coroutine.yield("y") + 1 end) end)
      add(inside()) add(inside(41))
      local inside2 = coroutine.wrap(function() return xpcall(function() coroutine.yield "z" error("late", 0) end, function(m) return m:upper() end) end)
      add(inside2()) add(inside2())
      add(pcall(coroutine.close, coroutine.running()))
      add(pcall(setmetatable, 1, {})) add(pcall(setmetatable, {}, 1)) add(getmetatable(setmetatable({}, { __metatable = "locked" })))
      add(pcall(setmetatable, setmetatable({}, { __metatable = 1 }), {}))
      add(coroutine.isyieldable(), select(2, coroutine.running()))
      for _, row in ipairs(out) do for i = 1, row.n do if type(row[i]) == "table" then row[i] = row[i].code or row[i][1] or "table" end end end
      return out
    end
    return { save = body }]]
  local expected = load(text, "@chat.lua")().save()
  local _, got = loaded(text):call "save"
  for i, row in ipairs(expected) do
    same({ i, row }, { i, got[i] })
  end
end)

test("xpcall with debug.traceback shows where it was", function()
  local text = "return { open = function() return xpcall(function() error 'here' end, debug.traceback) end }"
  local object = loaded(text, { seconds = 5, allow = { "debug.traceback" } })
  local ok, inner, trace = object:call "open"
  same({ true, false, true }, { ok, inner, trace:find "^chat.lua:1: here\nstack traceback:\n.*chat.lua:1: in function" ~= nil })
end)

return cases.run(os.getenv "SCRIPT_ONLY")
