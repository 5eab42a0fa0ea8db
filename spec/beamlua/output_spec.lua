-- What came from Beam or an app, on its way to a terminal, a file or a pipe.
local json = require "beam.json"
local output = require "beamlua.cli.output"
local terminal = require "beamlua.cli.terminal"

describe("output", function()
  local stdout, written
  before_each(function()
    stdout, written = io.stdout, {}
    io.stdout = { -- luacheck: ignore 122
      write = function(self, text)
        written[#written + 1] = text
        return self
      end,
      flush = function()
        return true
      end,
    }
  end)
  after_each(function()
    io.stdout = stdout -- luacheck: ignore 122
  end)

  local function at_terminal(is)
    terminal.setup {
      is_terminal = function()
        return is
      end,
    }
  end

  it("says why it could not be written", function()
    local full = assert(io.open("/dev/full", "w"))
    io.stdout = full -- luacheck: ignore 122
    at_terminal(false)
    local ok, problem = pcall(output.line, "a")
    assert.is_false(ok)
    assert.equal("standard output: No space left on device", problem)
  end)

  it("shows a person no control characters, and hands a program what came", function()
    at_terminal(true)
    output.told "a\27[31m\nb"
    output.rows({ "NAME" }, { { "evil\27]0;x\7" } })
    assert.same({ [[a\x1b[31m\nb]] .. "\n", [[evil\x1b]0;x\a]] .. "\n" }, { written[1], written[3] })
    at_terminal(false)
    output.told "a\27[31m\nb"
    assert.equal("a\27[31m\nb\n", written[4])
  end)

  it("keeps a cell of a list in its cell", function()
    at_terminal(false)
    output.rows({ "NAME", "KIND" }, { { "one\ttwo\nthree", "x" } })
    assert.same({ "one\\ttwo\\nthree\tx\n" }, written)
  end)

  it("is one line of JSON that may stand in another, whatever our reader takes", function()
    assert.equal([[{"a":"x\ny\r","b":1}]], output.compact '\239\187\191{"a": "x\ny\r",\n "b": 1}\n')
    assert.equal("[1]", output.compact "\239\187\191[1]")
  end)

  it("makes cells of what Beam told, whatever it is", function()
    assert.same({ "2001-09-09T01:46:40Z", "-", "-", "-" }, { output.time(1e9), output.time(1e300), output.time(0), output.time(json.null) })
    assert.same({ "12", "2", "-", "-" }, { output.bytes(12), output.bytes(1.5), output.bytes(json.null), output.bytes(nil) })
  end)

  it("shows a person the control characters that stand in JSON as they are", function()
    at_terminal(true)
    output.json_text '{"a":"\194\155x\127\27"}'
    assert.is_truthy(written[1]:find([[\u{9b}x\x7f\x1b]], 1, true), written[1])
  end)
end)
