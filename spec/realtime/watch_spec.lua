local is_app_ping = require("beam.realtime.watch").is_app_ping

describe("watch", function()
  it("knows Beam's app ping however it is spaced", function()
    for _, text in ipairs { '{"type":"ping"}', '{"type": "ping"}', ' {\n  "type" : "ping"\n}\n' } do
      assert.is_true(is_app_ping(text), text)
    end
  end)

  it("takes nothing else for one", function()
    for _, text in ipairs { '{"type":"ping","id":1}', '{"type":"pong"}', '{"type":["ping"]}', '[{"type":"ping"}]', '"ping"', "ping", "", '{"type":"ping"}x' } do
      assert.is_false(is_app_ping(text), text)
    end
  end)
end)
