local base64 = require "beam.base64"

describe("base64", function()
  it("is that of RFC 4648", function()
    for bytes, text in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=", foobar = "Zm9vYmFy" } do
      assert.are.same({ text, bytes, bytes }, { base64.encode(bytes), base64.decode(text), base64.decode((text:gsub("=", ""))) })
    end
    assert.are.equal("\251\239\190\255", base64.decode "++++/w==")
  end)

  it("carries every byte", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[#bytes + 1] = string.char(i, (i * 7) % 256)
    end
    for length = 500, 512 do
      local text = table.concat(bytes):sub(1, length)
      assert.are.equal(text, base64.decode(base64.encode(text)))
    end
  end)

  it("is not what looks like it", function()
    for _, text in ipairs { "Z", "Zg===", "Zm9v!", "Zm9v\n", "Zg=g", "é" } do
      assert.is_nil(base64.decode(text))
    end
  end)
end)
