-- Honest hooks, run with limits and without; called by tests/bench/scripting/script.c, which measures.
local json_like = ('{"id":%d,"user":"name%d","text":"hello world","tags":["a","b","c"]},'):rep(3)
local seen, order = {}, {}

-- A chat's message handler: parse, filter, remember, answer.
local function message(m)
  local words = {}
  for word in m.text:gmatch "%a+" do
    words[#words + 1] = word:lower()
  end
  table.sort(words)
  if not seen[m.id] then
    seen[m.id] = true
    order[#order + 1] = m.id
    if #order > 100 then
      seen[table.remove(order, 1)] = nil
    end
  end
  return { id = m.id, reply = table.concat(words, " "), count = #order }
end

local function compute()
  local function fib(n)
    return n < 2 and n or fib(n - 1) + fib(n - 2)
  end
  return fib(24)
end

local function strings()
  local parts = {}
  for i = 1, 400 do
    local text = json_like:format(i, i, i, i, i, i)
    parts[#parts + 1] = text:gsub("%d+", "n"):match '"text":"([^"]*)"' .. i
  end
  return #table.concat(parts, ",")
end

local function tables()
  local points = {}
  for i = 1, 3000 do
    points[i] = { x = i, y = i * 7 % 1001, name = "p" .. i }
  end
  table.sort(points, function(a, b)
    return a.y < b.y
  end)
  local sum = 0
  for _, point in ipairs(points) do
    sum = sum + point.x * point.y
  end
  return sum
end

local function objects()
  local Account = {}
  Account.__index = Account
  function Account.new()
    return setmetatable({ balance = 0 }, Account)
  end
  function Account:deposit(n)
    self.balance = self.balance + n
    return pcall(function()
      assert(self.balance < 1e9)
    end)
  end
  local accounts = {}
  for i = 1, 1000 do
    accounts[i] = Account.new()
    for n = 1, 5 do
      accounts[i]:deposit(n)
    end
  end
  return #accounts
end

local function coroutines()
  local sum = 0
  for _ = 1, 300 do
    for value in coroutine.wrap(function()
      for i = 1, 20 do
        coroutine.yield(i)
      end
    end) do
      sum = sum + value
    end
  end
  return sum
end

return {
  tick = function() end,
  message = message,
  compute = compute,
  strings = strings,
  tables = tables,
  objects = objects,
  coroutines = coroutines,
}
