-- docs/errors.md names every kind of error and every hint that the sources have.
local outcome = require "beam.outcome"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

-- The module without the local Beam, whose errors are those of handlers, and the drivers, which raise.
local function sources()
  local list = {}
  local pipe = assert(io.popen "find lua/beam -name '*.lua' -not -path '*/serve/*' -not -path '*/driver/*' -not -name serve.lua")
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  pipe:close()
  assert(#list > 50)
  return list
end

-- The strings of `text`, those joined by .. over lines as one.
local function strings(text)
  local found = {}
  for literal in text:gsub('"%s*%.%.%s*"', ""):gmatch '"([^"\n]*)"' do
    found[#found + 1] = literal
  end
  return found
end

-- Where hints stand: behind `hint =` on a line, in tables named hints.
local function hints_of(source)
  local found = {}
  for line in source:gmatch "[^\n]+" do
    local rest = not line:find "local hint" and line:match "hint = (.*)"
    for _, literal in ipairs(strings(rest or "")) do
      found[#found + 1] = literal
    end
  end
  for _, literal in ipairs(strings(source:match "local hints = (%b{})" or "")) do
    found[#found + 1] = literal
  end
  return found
end

describe("docs/errors.md", function()
  local page = read "docs/errors.md"

  local function check(text, where)
    assert.is_truthy(page:find(text, 1, true), ("%s has '%s', docs/errors.md has not"):format(where, text))
  end

  it("names every kind", function()
    local map, count = read("core/beam.h"):match "#define BEAM_ERROR_MAP(.-)enum", 0
    for kind in map:gmatch 'X%([%u_]+, %-%d+, "([%l_]+)"' do
      count = count + 1
      check(("| `%s` |"):format(kind), "core/beam.h")
    end
    assert.are.equal(13, count)
    for _, path in ipairs(sources()) do
      for kind in read(path):gmatch '{%s*kind = "([%l_]+)"' do
        check(("| `%s` |"):format(kind), path)
      end
    end
  end)

  it("names every hint", function()
    local count = 0
    for _, path in ipairs(sources()) do
      for _, hint in ipairs(hints_of(read(path))) do
        count = count + 1
        check(hint, path)
      end
    end
    assert.is_true(count > 40)
    for _, scheme in ipairs { "none", "basic", "bearer" } do
      check(outcome.unauthorized(scheme), "outcome.unauthorized")
    end
    check(outcome.of_call(302, "").hint, "outcome.of_call")
    check(outcome.of_close(1009, "too_large").hint, "outcome.of_close")
  end)
end)
