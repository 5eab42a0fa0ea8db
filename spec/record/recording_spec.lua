-- The format of recordings: what is written is read again, and nothing else is.
local recording = require "beam.recording"
local secrets = require "beam.settings.secret_list"

local header = recording.header("0.1.0", "2026-11-21T23:34:34Z")
local connect = { at = 0, connection = 1, event = "connect", host = "h:1", target = "/asgi/echo", headers = {} }

local function text_of(events)
  local lines = { header }
  for _, event in ipairs(events) do
    lines[#lines + 1] = recording.line(event)
  end
  return table.concat(lines)
end

-- The message for a recording that has this line after one connection has begun.
local function refused(line)
  local read, message = recording.parse(text_of { connect } .. line .. "\n")
  assert.is_nil(read)
  return message
end

describe("a recording", function()
  it("has a header, and fields in order", function()
    assert.equal('{"recording":"beam","version":1,"beamlua":"0.1.0","started":"2026-11-21T23:34:34Z"}\n', header)
    assert.equal('{"at":0.000000,"connection":1,"event":"connect","host":"h:1","target":"/asgi/echo","headers":[]}\n', recording.line(connect))
    local answer = { at = 1.5, request = 2, event = "answer", status = 200, headers = { { "content-type", "text/plain" } } }
    assert.equal('{"at":1.500000,"request":2,"event":"answer","status":200,"headers":[["content-type","text/plain"]]}\n', recording.line(answer))
  end)

  it("keeps every byte of messages and bodies", function()
    local all = {}
    for i = 0, 255 do
      all[#all + 1] = string.char(i)
    end
    local bytes = table.concat(all)
    local texts = { "", "{}", "é\0\n\"\\/\127" }
    local others = { bytes, bytes:rep(3) .. "x", "\237\160\128" }
    local function check(data, binary, written_as)
      local line = recording.line { at = 1, connection = 1, event = "sent", data = data, binary = binary }
      assert.is_truthy(line:find "^[ -\126\128-\255]*\n$", "one line")
      local read = assert(recording.parse(text_of { connect } .. line))
      assert.same({ data, written_as }, { read.events[2].data, read.events[2].binary })
    end
    for _, data in ipairs(texts) do
      check(data, nil, nil)
      check(data, true, true)
    end
    for _, data in ipairs(others) do
      check(data, nil, true)
      check(data, true, true)
    end
  end)

  it("is read as it was written", function()
    local events = {
      connect,
      { at = 0.1, connection = 1, event = "phase", phase = "dns" },
      { at = 0.2, request = 1, event = "request", method = "POST", host = "h", target = "/", headers = { { "accept", "x" } }, upload = true },
      { at = 0.2, request = 1, event = "sent_piece", data = "a" },
      { at = 0.3, connection = 1, event = "open", status = 101, headers = {} },
      { at = 0.3, connection = 1, event = "received", data = "\1\2", binary = true },
      { at = 0.3, request = 1, event = "done", error = "closed", message = "gone" },
      { at = 0.4, connection = 1, event = "closed", code = 1006, reason = "", error = "closed", message = "lost" },
      { at = 0.5, event = "full", bytes = 2048 },
    }
    local read = assert(recording.parse(text_of(events)))
    assert.same({ 1, "0.1.0", "2026-11-21T23:34:34Z" }, { read.version, read.beamlua, read.started })
    assert.equal(#events, #read.events)
    for i, event in ipairs(read.events) do
      assert.equal(i + 1, event.line)
      event.line = nil
      assert.equal(recording.line(events[i]), recording.line(event))
    end
  end)

  it("shows bytes that are no UTF-8 in a header as question marks", function()
    local event = { at = 0, request = 1, event = "answer", status = 200, headers = { { "location", "/\233t\233" } } }
    assert.is_truthy(recording.line(event):find('"/?t?"', 1, true))
  end)

  it("is refused where it is none, by the number of the line", function()
    local function parse(text)
      local read, message = recording.parse(text)
      return read == nil and message
    end
    assert.equal("line 1: no header of a recording", parse "")
    assert.equal("line 1: no header of a recording", parse "{}\n")
    assert.equal("line 1: no JSON object", parse "[]\n")
    assert.equal("line 1: version 2 of the format; this is for version 1", parse(header:gsub('"version":1', '"version":2')))
    assert.equal("line 1: the header wants beamlua and started", parse '{"recording":"beam","version":1}\n')
    assert.equal("line 1: it is cut off", parse(header:sub(1, -2)))
    assert.equal("line 2: it is cut off", parse(header .. '{"at":'))
    assert.is_truthy(parse(header .. "nonsense\n"):find "^line 2: no JSON: ")
    assert.equal("line 2: connection 2 begins after connection 0", parse(header .. recording.line(connect):gsub('"connection":1', '"connection":2')))
  end)

  it("is refused where a line of it is wrong", function()
    for line, message in pairs {
      ['{"at":1,"connection":1,"event":"nothing"}'] = "line 3: no event 'nothing'",
      ['{"at":1,"connection":1}'] = "line 3: no event 'nil'",
      ['{"at":-1,"connection":1,"event":"abort"}'] = "line 3: at is to be seconds, not before those of the line above it (0)",
      ['{"at":"1","connection":1,"event":"abort"}'] = "line 3: at is to be seconds, not before those of the line above it (0)",
      ['{"at":1,"connection":2,"event":"abort"}'] = "line 3: abort of connection 2, which is not open",
      ['{"at":1,"request":1,"event":"abandoned"}'] = "line 3: abandoned of request 1, which is not open",
      ['{"at":1,"event":"abort"}'] = "line 3: abort wants the number of its connection",
      ['{"at":1,"connection":1,"event":"sent"}'] = "line 3: sent wants text or base64",
      ['{"at":1,"connection":1,"event":"sent","text":"a","base64":""}'] = "line 3: text and base64 at once",
      ['{"at":1,"connection":1,"event":"sent","base64":"a"}'] = "line 3: base64 is none",
      ['{"at":1,"connection":1,"event":"sent","text":1}'] = "line 3: text is to be a string",
      ['{"at":1,"connection":1,"event":"sent","data":"x"}'] = "line 3: an unknown field: data, binary or line",
      ['{"at":1,"connection":1,"event":"abort","why":1}'] = "line 3: abort has no field 'why'",
      ['{"at":1,"connection":1,"event":"open","status":101}'] = "line 3: open wants headers",
      ['{"at":1,"connection":1,"event":"open","status":101,"headers":{}}'] = "line 3: headers is to be a list of pairs of strings",
      ['{"at":1,"connection":1,"event":"open","status":101,"headers":[["a"]]}'] = "line 3: headers is to be a list of pairs of strings",
      ['{"at":1,"connection":1,"event":"open","status":1.5,"headers":[]}'] = "line 3: status is to be a whole number",
      ["\255"] = "line 3: byte 1 is not UTF-8",
    } do
      assert.equal(message, refused(line))
    end
  end)

  it("ends an exchange once, and itself once", function()
    local left = recording.line { at = 1, connection = 1, event = "left" }
    assert.equal("line 4: left of connection 1, which is not open", refused(left .. left:sub(1, -2)))
    local full = recording.line { at = 1, event = "full", bytes = 1024 }
    assert.equal("line 4: nothing may follow the event full", refused(full .. full:sub(1, -2)))
  end)

  it("that cannot be opened is an error", function()
    local read, err = recording.read "/nowhere/at/all"
    assert.same({ nil, "invalid" }, { read, err.kind })
    assert.is_truthy(err.message:find("/nowhere/at/all", 1, true))
  end)
end)

describe("secrets", function()
  local token = "s3cret+/to\"ken=="

  it("are hidden in every form that they travel in", function()
    local hidden = secrets.new()
    hidden:learn(token)
    for _, form in ipairs {
      token,
      "s3cret%2B%2Fto%22ken%3D%3D",
      "s3cret+/to\\\"ken==",
      "s3cret+\\/to\"ken==",
      "czNjcmV0Ky90byJrZW49PQ==",
      "czNjcmV0Ky90byJrZW49PQ",
    } do
      local text = hidden:hide("a" .. form .. "b" .. form)
      assert.is_truthy(text:find "^a%[secret%]=*b%[secret%]=*$", form)
    end
  end)

  it("are learned from credentials, headers and URLs", function()
    local function hides(learn, text)
      local hidden = secrets.new()
      learn(hidden)
      return hidden:hide(text)
    end
    assert.equal("[secret]", hides(function(hidden)
      hidden:learn_auth { scheme = "bearer", secret = "token-1" }
    end, "token-1"))
    assert.equal("Basic [secret]", hides(function(hidden)
      hidden:learn_auth { scheme = "basic", id = "id", secret = "pass-1" }
    end, "Basic aWQ6cGFzcy0x"))
    assert.equal("[secret]", hides(function(hidden)
      hidden:learn_headers { { "Authorization", "Basic aWQ6cGFzcy0x" } }
    end, "pass-1"))
    assert.equal("[secret]", hides(function(hidden)
      hidden:learn_headers { { "authorization", "Bearer token-1" } }
    end, "token-1"))
    assert.equal("[secret] [secret]", hides(function(hidden)
      hidden:learn_target "/x?a=1&auth_token=tok%2Fen#f"
    end, "tok/en tok%2Fen"))
  end)

  it("are left alone where they are too short to be any", function()
    local hidden = secrets.new()
    hidden:learn "abc"
    hidden:learn(nil)
    assert.equal("abc", hidden:hide "abc")
  end)

  it("are at most 256, the newest ones", function()
    local hidden = secrets.new()
    for i = 1, 300 do
      hidden:learn(("token-%03d"):format(i))
    end
    assert.equal("token-044 [secret] [secret]", hidden:hide "token-044 token-045 token-300")
    assert.is_true(#hidden.forms <= 6 * 256)
  end)

  it("are left out of targets, whoever made them", function()
    local hidden = secrets.new()
    assert.equal("/x", hidden:hide_target "/x?auth_token=abc")
    assert.equal("/x?a=1&b", hidden:hide_target "/x?a=1&auth_token=abc&b")
    assert.equal("/x?a=1&X-Amz-Signature=[secret]", hidden:hide_target "/x?a=1&X-Amz-Signature=0123")
    assert.equal("/x?token=[secret]", hidden:hide_target "/x?token=0123")
  end)

  it("are found where a stream was cut", function()
    local whole = "before token-1 after, tok, token-1"
    for size = 1, #whole do
      local hidden, rest, pieces = secrets.new(), "", {}
      hidden:learn "token-1"
      for first = 1, #whole, size do
        local piece
        piece, rest = hidden:hide_piece(rest .. whole:sub(first, first + size - 1))
        pieces[#pieces + 1] = piece
      end
      assert.equal("before [secret] after, tok, [secret]", table.concat(pieces) .. rest)
    end
  end)
end)
