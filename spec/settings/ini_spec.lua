local ini = require "beam.settings.ini"

describe("ini", function()
  it("reads what Python's configparser writes", function()
    local text = "\239\187\191[default]\r\ntoken = abc=def\r\ngateway_host: gateway.beam.cloud\r\n\r\n# a comment\n; another\n"
      .. "[staging]\nTOKEN=xyz\nlong = one\n  two\n"
    assert.are.same({
      default = { token = "abc=def", gateway_host = "gateway.beam.cloud" },
      staging = { token = "xyz", long = "one\ntwo" },
    }, ini.parse(text))
  end)

  it("takes quotes off, and keeps empty values", function()
    assert.are.same({ a = { x = "1 2", y = "", z = 'a"b' } }, ini.parse '[a]\nx = "1 2"\ny =\nz = a"b\n')
  end)

  it("inherits from [default]", function()
    local sections = ini.parse "[default]\ntoken = a\nhost = h\n[other]\ntoken = b\n"
    assert.are.same({ "b", "h", "h" }, { ini.get(sections, "other", "token"), ini.get(sections, "other", "host"), ini.get(sections, "x", "host") })
    assert.is_nil(ini.get(sections, "other", "none"))
  end)

  it("says which line it cannot read", function()
    assert.are.same({ nil, "line 2 is neither a [section] nor a key = value" }, { ini.parse "[a]\nnonsense\n" })
    assert.are.same({ nil, "line 1 is neither a [section] nor a key = value in a section" }, { ini.parse "token = x\n" })
  end)

  it("reads nothing from nothing", function()
    assert.are.same({}, ini.parse "")
  end)
end)
