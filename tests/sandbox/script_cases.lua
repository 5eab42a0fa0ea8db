-- What the tests of sandbox.script share: cases with names, TAP, and scripts to ask.
local script = require "sandbox.script"

local cases = {}
local all = {}

function cases.test(name, f)
  all[#all + 1] = { name = name, f = f }
end

local function show(value, depth)
  if type(value) ~= "table" or (depth or 0) > 4 then
    return type(value) == "string" and ("%q"):format(value) or math.type(value) == "float" and ("%a"):format(value) or tostring(value)
  end
  local parts = {}
  for key, item in pairs(value) do
    parts[#parts + 1] = "[" .. show(key) .. "]=" .. show(item, (depth or 0) + 1)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

function cases.same(expected, got)
  if show(expected) ~= show(got) then
    error(("expected %s\n# got      %s"):format(show(expected), show(got)), 2)
  end
end

function cases.pack(...)
  return { n = select("#", ...), ... }
end

function cases.new(options, provided)
  local object = assert(script.new(options))
  for name, f in pairs(provided or {}) do
    object:provide(name, f)
  end
  return object
end

cases.limits = { memory = 16 << 20, instructions = 10000000, seconds = 5 }

function cases.loaded(text, options, provided)
  local object = cases.new(options or cases.limits, provided)
  assert(object:load(text, "@chat.lua"))
  return object
end

cases.show = show

--- Runs those whose name has `only` in it; returns whether none failed.
function cases.run(only)
  local count, failures = 0, 0
  for _, case in ipairs(all) do
    if not only or case.name:find(only, 1, true) then
      local ok, message = xpcall(case.f, debug.traceback)
      count = count + 1
      if not ok then
        failures = failures + 1
        print("# " .. tostring(message):gsub("\n", "\n# "))
      end
      print(("%s %d - %s"):format(ok and "ok" or "not ok", count, case.name))
    end
  end
  print("1.." .. count)
  return failures == 0
end

return cases
