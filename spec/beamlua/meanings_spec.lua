-- What `beamlua explain` says of the kinds of errors stands in docs/errors.md word for word; each kind has its exit code, and
-- docs/beamlua.md has them all.
local exit_codes = require "beamlua.cli.exit_codes"
local meanings = require "beamlua.cli.meanings"
local outcome = require "beam.outcome"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

describe("beamlua's words", function()
  it("are those of docs/errors.md", function()
    local page, count = read "docs/errors.md", 0
    for kind, happened, remedy in page:gmatch "\n| `([%l_]+)` | ([^|\n]+) | ([^|\n]-) ?|%f[\n]" do
      if meanings.kinds[kind] then
        count = count + 1
        assert.are.same({ happened, remedy }, meanings.kinds[kind])
      end
    end
    for kind in pairs(meanings.kinds) do
      count = count - 1
      assert.is_truthy(page:find(("\n| `%s` |"):format(kind), 1, true), kind)
    end
    assert.are.equal(0, count)
  end)

  it("have an exit code for each kind, no two the same", function()
    local seen = {}
    for kind, code in pairs(exit_codes) do
      assert.is_nil(seen[code])
      seen[code] = kind
      assert.is_truthy(kind == "usage" or meanings.kinds[kind], kind)
    end
    for kind in pairs(meanings.kinds) do
      assert.is_number(exit_codes[kind], kind)
    end
  end)

  it("are in docs/beamlua.md with their exit codes", function()
    local page = read "docs/beamlua.md"
    for kind, code in pairs(exit_codes) do
      local row = kind == "usage" and "| 2 | a mistake on the command line |" or ("| %d | `%s`"):format(code, kind)
      assert.is_truthy(page:find(row, 1, true), row)
    end
  end)

  it("name each status and close code that outcome.lua knows", function()
    for status in pairs(outcome.calls) do
      assert.is_string(meanings.statuses[status], status)
    end
    for code in pairs(outcome.closes) do
      assert.is_string(meanings.closes[code], code)
    end
  end)
end)
