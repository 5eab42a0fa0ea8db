local log = require "beam.log"

describe("log", function()
  local stderr, written
  before_each(function()
    stderr, written = io.stderr, {}
    io.stderr = { -- luacheck: ignore 122
      write = function(_, ...)
        written[#written + 1] = table.concat { ... }
      end,
    }
  end)
  after_each(function()
    io.stderr = stderr -- luacheck: ignore 122
    log.to(nil)
  end)

  it("goes to stderr, errors and warnings only", function()
    for _, level in ipairs { "error", "warning", "info", "debug" } do
      log.write(level, "a " .. level)
    end
    assert.are.same({ "beam: error: a error\n", "beam: warning: a warning\n" }, written)
  end)

  it("goes where it is told, all of it", function()
    local lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. " " .. line
    end)
    log.write("debug", "x")
    log.write("error", "y")
    assert.are.same({ { "debug x", "error y" }, {} }, { lines, written })
  end)

  it("hands on nothing that a terminal obeys", function()
    log.write("error", "one\ntwo \27[31mred\7")
    assert.are.same({ "beam: error: one\ntwo \\x1b[31mred\\a\n" }, written)
  end)

  it("survives a sink that fails", function()
    log.to(error)
    log.write("error", "x")
    assert.are.same({ "beam: error: x\n" }, written)
  end)
end)
