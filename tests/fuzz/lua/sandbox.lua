-- The sandbox. A call of a library function: the sandbox's gives what Lua's own gives, a result or an error, or is stopped by a limit. A
-- script, made of the bytes by a small grammar, or the bytes themselves: it ends, by itself or by a limit, and can be called again
-- unless it is given up.
local script = require "sandbox.script"

-- ---- Functions of the library ----

-- The same text runs in both states.
local CALLS = [[
local function all(...) return { n = select("#", ...), ... } end
local function plain(v) return type(v) == "number" and (v ~= v and "NaN" or string.format("%s %.17g", math.type(v), v)) or v end
local function listed(...) local t = all(...) for i = 1, t.n do t[i] = t[i] == nil and "nil" or plain(t[i]) end t.n = nil return t end
local calls = {
  function(s, p, n) return listed(s:find(p, n)) end,
  function(s, p, n) return listed(s:find(p, n, true)) end,
  function(s, p, n) return listed(s:match(p, n)) end,
  function(s, p, n) local t = {} for a, b in s:gmatch(p) do t[#t + 1] = listed(a, b) if #t > 40 then break end end return t end,
  function(s, p, n) return listed(s:gsub(p, "<%0%1>")) end,
  function(s, p, n) return listed(s:gsub(p, s, n)) end,
  function(s, p, n) return listed(s:gsub(p, { a = "b", [""] = "e", b = false })) end,
  function(s, p, n) return listed(s:gsub(p, function(a, b) return b or a end)) end,
  function(s, p, n) return listed(p:format(s, n, n / 3, s, n)) end,
  function(s, p, n) return listed(p:format(n, n, n, n, n, n)) end,
  function(s, p, n) return listed(p:format(n / 7, s, s, s)) end,
  function(s, p, n) return listed(s:rep(n % 200, p)) end,
  function(s, p, n) return listed(s:upper(), s:lower(), s:reverse(), s:len(), s:sub(n), s:sub(-n, n), s:byte(1, n)) end,
  function(s, p, n) return listed(string.char(n, n * 2, #s)) end,
  function(s, p, n) return listed(string.pack(p, n, n, s, s)) end,
  function(s, p, n) return listed(string.unpack(p, s, n)) end,
  function(s, p, n) return listed(string.packsize(p)) end,
  function(s, p, n) return listed(utf8.len(s, n), pcall(utf8.codepoint, s, 1, n)) end,
  function(s, p, n) local t = {} for a, b in utf8.codes(s) do t[#t + 1] = listed(a, b) end return t end,
  function(s, p, n) return listed(utf8.char(n * 300, n), utf8.offset(s, n)) end,
  function(s, p, n) return listed(tonumber(s), tonumber(s, n), tonumber(p), math.tointeger(n / 3)) end,
  function(s, p, n) return listed(table.concat({ s, n, p, s }, p, 1, n)) end,
  function(s, p, n) local t = { s:byte(1, -1) } table.sort(t) return listed(table.unpack(t)) end,
  function(s, p, n) local t = { s:byte(1, -1) } table.sort(t, function(a, b) return a > b end) return listed(table.unpack(t)) end,
  function(s, p, n) local t = { s:byte(1, -1) } table.insert(t, n, p) return listed(table.remove(t, #p), table.unpack(t)) end,
  function(s, p, n) local t = { s:byte(1, -1) } table.move(t, 1, n, #p) return listed(table.unpack(t, 1, #s)) end,
  function(s, p, n) return listed(select(n, s, p, n), math.fmod(n, #s), math.ult(n, #p), n // (#s - 3.0)) end,
}
return {
  count = function() return #calls end,
  one = function(which, s, p, n) return pcall(calls[which], s, p, n) end,
}]]
local here = load(CALLS, "=calls")()

local function new_library()
  local object = assert(script.new { instructions = 3000000, seconds = 5, memory = 16 << 20 })
  assert(object:load(CALLS, "=calls"))
  return object
end
local library = new_library()

local function shown(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for i, item in ipairs(value) do
    parts[i] = shown(item)
  end
  return "{" .. table.concat(parts, "|") .. "}"
end

local function try_call(bytes)
  local which = (bytes:byte(1) or 0) % here.count() + 1
  local n = (bytes:byte(2) or 0) - 60
  local cut = (bytes:byte(3) or 0) % 16
  local p, s = bytes:sub(4, 3 + cut), bytes:sub(4 + cut, 27 + cut)
  if p:find "%%[^%a]*p" then -- an address, which no two states share
    return
  end
  local ran, ok, theirs = library:call_function("one", which, s, p, n)
  if not ran then
    assert(ok.limit, ok.message)
    if ok.broken then
      library:close()
      library = new_library()
    end
    return
  end
  local ours_ok, ours = here.one(which, s, p, n)
  local said = ("call %d, %q, %q, %d: "):format(which, s, p, n)
  assert(ok == ours_ok, said .. shown(ours) .. ", and in the sandbox " .. shown(theirs))
  if ok then
    assert(shown(ours) == shown(theirs), said .. shown(ours) .. ", and in the sandbox " .. shown(theirs))
  end
end

-- ---- Scripts ----

local STATEMENTS = {
  "local a = E", "a = E", "t[E] = E", "for i = 1, N do B end", "while E do B end", "repeat B until E",
  "pcall(function() B end)",
  "xpcall(F, F)",
  "co = coroutine.wrap(function(...) B end) pcall(co, E)",
  "setmetatable(t, { __index = F, __newindex = F, __len = F, __eq = F, __lt = F })",
  "local x <close> = setmetatable({}, { __close = F })", "goto l::l::", "return E", "error(E)", "coroutine.yield(E)",
  "for k, v in pairs(t) do B end", "for w in s:gmatch(E) do B end", "s = s .. s", "t = { t, t, E }",
  "table.sort(t, F)",
  "table.insert(t, E)",
  "coroutine.close(coroutine.create(F))", "f = F", "f(E, E)", "t = setmetatable({}, { __mode = 'v', __gc = F })", "s = s:rep(N)",
  "table.move(t, 1, N, N)", "t[#t + 1] = F", "select('#', table.unpack(t, 1, N))", "string.format(E, E)", "s:gsub(E, F)", "t.x = nil",
}
local EXPRESSIONS = {
  "1", "nil", "true", "s", "t", "a", "f", "-1", "2^53", "0/0", "'%d+'", "('x'):rep(100)", "{}", "E .. E", "E + E", "#E", "E == E", "E < E",
  "F", "(E)", "t[E]", "E and E", "not E", "f(E)", "s:find(E)", "tostring(E)", "math.maxinteger", "coroutine.running()", "next(t)",
  "'.-.-.-b'",
}
local NUMBERS = { "0", "3", "10", "1000", "1e9", "-1", "math.huge", "1 << 40" }

local function grow(bytes)
  local at, left = 1, 300
  local function pick(list)
    at = at + 1
    return list[(bytes:byte(at) or 0) % #list + 1]
  end
  local expand
  local makers = {
    E = function(depth)
      return depth > 8 and "1" or expand(pick(EXPRESSIONS), depth + 1)
    end,
    F = function(depth)
      return depth > 6 and "f" or "function(a, ...) " .. expand(pick(STATEMENTS), depth + 1) .. " end"
    end,
    B = function(depth)
      if depth > 6 then
        return ""
      end
      local first, second = expand(pick(STATEMENTS), depth + 1), expand(pick(STATEMENTS), depth + 1)
      return "do " .. first .. " end do " .. second .. " end"
    end,
    N = function()
      return pick(NUMBERS)
    end,
  }
  function expand(text, depth)
    left = left - 1
    return (text:gsub("%f[%w_][EFBN]%f[^%w_]", function(kind)
      return left > 0 and makers[kind](depth) or kind == "B" and "" or kind == "F" and "f" or "1"
    end))
  end
  local parts = { "local s, t, a, co = 'text', {}, 1 local f = print local function body() " }
  while at < #bytes and left > 0 do
    parts[#parts + 1] = "do " .. expand(pick(STATEMENTS), 0) .. " end "
  end
  parts[#parts + 1] = " end return { message = body, tick = function() return 17 end }"
  return table.concat(parts)
end

local function try_script(text, must_compile)
  local object = assert(script.new { instructions = 20000, seconds = 2, memory = 1 << 20 })
  object:provide("log", function() end)
  local ok, err = object:load(text, "=grown")
  assert(ok or not must_compile or err.limit or err.message:find "label" or err.message:find "too many" or err.message:find "goto"
    or err.message:find "near" or err.message:find "C stack overflow", ok or err.message) -- the last: Lua's own, at 200 ".." in a row
  for _ = 1, 2 do
    if ok and object:has "message" then
      local ran, failure = object:call("message", { x = 1 }, "json")
      assert(ran or failure.kind == "script" and failure.message ~= "", "a failure without words")
      if not ran and failure.broken then
        ok = nil
      elseif object:has "tick" then
        local again, value = object:call "tick"
        assert(not must_compile or again and value == 17, "it cannot be called again")
      end
    end
  end
  assert(object:usage().memory <= 1 << 20)
  object:close()
end

return function(bytes)
  local which = (bytes:byte(1) or 0) % 4
  if which < 2 then
    try_call(bytes:sub(2))
  elseif which == 2 then
    try_script(grow(bytes:sub(2)), true)
  else
    try_script(bytes:sub(2), false)
  end
end
