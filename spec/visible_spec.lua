local visible = require "beam.base.visible"

describe("visible", function()
  it("leaves printable text as it is", function()
    for _, text in ipairs { "", "plain ~ text", "Grüße, 世界 … 🙂", [[a \n that was escaped]] } do
      assert.are.equal(text, visible.line(text))
      assert.are.equal(text, visible.lines(text))
    end
  end)

  it("escapes what a terminal obeys", function()
    local rows = {
      ["\27[31m"] = [[\x1b[31m]],
      ["a\nb\r\tc"] = [[a\nb\r\tc]],
      ["\0\7\8\127"] = [[\x00\a\b\x7f]],
      ["\194\133\194\155"] = [[\u{85}\u{9b}]],
      ["\226\128\168\226\128\174\226\129\166\239\187\191"] = [[\u{2028}\u{202e}\u{2066}\u{feff}]],
      ["é\155\255\226\128"] = [[é\x9b\xff\xe2\x80]],
      ["\237\160\128"] = [[\xed\xa0\x80]],
    }
    for text, shown in pairs(rows) do
      assert.are.equal(shown, visible.line(text))
    end
    assert.are.equal("a\nb\\t", visible.lines "a\nb\t")
  end)

  it("gives back text without a control character and with whole characters, whatever comes", function()
    local random = require("beam.retry").generator(20261129)
    for _ = 1, 2000 do
      local bytes = {}
      for i = 1, math.floor(random() * 30) do
        bytes[i] = string.char(math.floor(random() * 256))
      end
      local text = visible.excerpt(table.concat(bytes), 12)
      assert.is_nil(text:find "[%z\1-\31\127]")
      assert.is_nil(require("beam.json.text").bad_utf8(text))
    end
  end)

  it("shows both ends of what is long", function()
    assert.are.equal("begin … end", visible.excerpt("begin" .. ("."):rep(50) .. "  end\r\n", 10):gsub("%.", ""):gsub(" +end", " end"))
    assert.are.equal("as it is", visible.excerpt("\n as it is \n", 8))
    for longest = 2, 40 do
      assert.is_nil(visible.excerpt(("ä世🙂"):rep(20), longest):find("\\x", 1, true))
    end
  end)
end)
