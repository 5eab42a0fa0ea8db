local event_stream = require "beam.http.event_stream"

-- Feeds the pieces; all items, then the failure if there was one.
local function read(format, pieces, max)
  local parser = event_stream.new { format = format, max = max }
  local items, problem = {}, nil
  local function add(some, message)
    problem = problem or message
    for _, item in ipairs(some or {}) do
      items[#items + 1] = item
    end
  end
  for _, piece in ipairs(pieces) do
    add(parser:feed(piece))
  end
  add(parser:finish())
  return items, problem, parser
end

local function bytes_of(text)
  local pieces = {}
  for i = 1, #text do
    pieces[i] = text:sub(i, i)
  end
  return pieces
end

local random = require("beam.retry").generator(20260801)

local function random_pieces(text)
  local pieces, first = {}, 1
  while first <= #text do
    local last = first + math.floor(random() * 8) - 1 -- empty ones, too
    pieces[#pieces + 1] = text:sub(first, last)
    first = last + 1
  end
  return pieces
end

-- What one piece gives, all splits give.
local function check(format, text, expected, max, message)
  local function try(pieces)
    local items, problem = read(format, pieces, max)
    assert.same({ expected, message }, { items, problem }, table.concat(pieces, "|"))
  end
  try { text }
  try(bytes_of(text))
  for _ = 1, 30 do
    try(random_pieces(text))
  end
end

-- luacheck: no max line length
describe("beam.http.event_stream, server-sent events", function()
  local cases = {
    ["the standard's first example"] = {
      ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
      { { data = "first event", id = "1" }, { data = "second event", id = "" }, { data = " third event", id = "" } },
    },
    ["the standard's second: data without a value, and an end without a blank line"] = {
      "data\n\ndata\ndata\n\ndata:",
      { { data = "" }, { data = "\n" } },
    },
    ["several lines of data"] = { "data: YHOO\ndata: +2\ndata: 10\n\n", { { data = "YHOO\n+2\n10" } } },
    ["types"] = {
      "event: status\ndata: {}\n\ndata: plain\n\nevent:\ndata: x\n\nevent: nothing\n\ndata: y\n\n",
      { { data = "{}", event = "status" }, { data = "plain" }, { data = "x" }, { data = "y" } },
    },
    ["CR, LF, CRLF, mixed"] = {
      "data: a\rdata: b\r\rdata: c\r\ndata: C\r\n\r\ndata: d\n\r\ndata: e\r\n\rdata: f\n\n",
      { { data = "a\nb" }, { data = "c\nC" }, { data = "d" }, { data = "e" }, { data = "f" } },
    },
    ["a byte order mark, once"] = { "\239\187\191data: a\n\n\239\187\191data: b\n\ndata: c\n\n", { { data = "a" }, { data = "c" } } },
    ["UTF-8"] = { "data: grün 🚀 \226\128\168\nevent: 文\n\n", { { data = "grün 🚀 \226\128\168", event = "文" } } },
    ["retry in digits only"] = {
      "retry: 1500\ndata: a\n\nretry: 2s\ndata: b\n\nretry:\n\ndata: c\n\n",
      { { data = "a", retry = 1.5 }, { data = "b" }, { data = "c" } },
    },
    ["an id with NUL is none"] = { "id: 7\ndata: a\n\nid: 8\0\ndata: b\n\n", { { data = "a", id = "7" }, { data = "b", id = "7" } } },
    ["unknown fields and comments are passed over"] = { ":\nfoo: bar\nData: no\n : x\ndata: a\n:b\n\n", { { data = "a" } } },
    ["what the end cuts off is thrown away"] = { "data: a\n\nevent: x\ndata: b\n", { { data = "a" } } },
    ["a bare object between the events"] = {
      'data: a\n\n{"error":"Internal server error"}\n',
      { { data = "a" }, { data = '{"error":"Internal server error"}', unframed = true } },
    },
    ["a bare object without a line end"] = { 'data: a\n\n{"error":1}', { { data = "a" }, { data = '{"error":1}', unframed = true } } },
    ["colons and spaces of a value stay"] = { "data: a: b:  c \n\ndata::\n\n", { { data = "a: b:  c " }, { data = ":" } } },
    ["nothing"] = { "", {} },
  }
  for name, case in pairs(cases) do
    it(name, function()
      check("sse", case[1], case[2])
    end)
  end

  it("keeps the last id and the time to wait, also those of events without data", function()
    local _, _, parser = read("sse", { "id: 5\nretry: 250\n\n" })
    assert.same({ "5", 0.25 }, { parser.last_id, parser.retry })
  end)

  it("tells the next event what a block without data said of connecting again", function()
    local items = read("sse", { "retry: 2500\n\nid: 41\n\ndata: a\n\ndata: b\n\nretry: 900\ndata: c\n\n" })
    assert.same({ { data = "a", id = "41", retry = 2.5 }, { data = "b", id = "41" }, { data = "c", id = "41", retry = 0.9 } }, items)
  end)

  it("gives an item as soon as its blank line is there", function()
    local parser = event_stream.new { format = "sse" }
    assert.same({}, (parser:feed "data: a\r\n"))
    assert.same({ { data = "a" } }, (parser:feed "\r"))
    assert.same({}, (parser:feed "\n"))
  end)
end)

describe("beam.http.event_stream, other formats", function()
  local broken = '{"error":"Internal server error"}'
  local cases = {
    ["data: Beam's items"] = { "data", 'data: {"a":1}\n\ndata: {"a":2}\n\n', { { data = '{"a":1}' }, { data = '{"a":2}' } } },
    ["data: Beam's error at the deadline"] = {
      "data",
      'data: {"a":1}\n\n' .. broken .. "\n",
      { { data = '{"a":1}' }, { data = broken, unframed = true } },
    },
    ["data: the error beside an item that was not ended"] = {
      "data",
      "data: 1\n" .. broken,
      { { data = "1" }, { data = broken, unframed = true } },
    },
    ["auto: Beam's error in the place of a first item"] = { "auto", broken .. "\n", { { data = broken, unframed = true } } },
    ["auto: the same without a line end"] = { "auto", broken, { { data = broken, unframed = true } } },
    ["data: what the end cuts off is an item"] = { "data", "data: 1\n\ndata: 2", { { data = "1" }, { data = "2" } } },
    ["data: other lines are told"] = { "data", "data: 1\nso it goes\n\n", { { data = "1" }, { data = "so it goes", unframed = true } } },
    ["lines"] = { "lines", '{"a":1}\n{"a":2}\r\n\n  \n[3]', { { data = '{"a":1}' }, { data = '{"a":2}' }, { data = "[3]" } } },
    ["lines: CR alone ends none"] = { "lines", "{\r}\n", { { data = "{\r}" } } },
    ["lines: a byte order mark"] = { "lines", "\239\187\1911\n", { { data = "1" } } },
    ["lines: nothing"] = { "lines", "", {} },
    ["whole"] = { "whole", '{"a":\n1}\n', { { data = '{"a":\n1}\n' } } },
    ["auto: data"] = { "auto", "data: 1\n\ndata: 2\n\n", { { data = "1" }, { data = "2" } } },
    ["auto: after a byte order mark"] = { "auto", "\239\187\191event: x\ndata: 1\n\n", { { data = "1", event = "x" } } },
    ["auto: a comment first"] = { "auto", ": hello\n\ndata: 1\n\n", { { data = "1" } } },
    ["auto: nothing"] = { "auto", "", {} },
  }
  for name, case in pairs(cases) do
    it(name, function()
      check(case[1], case[2], case[3])
    end)
  end

  local function joined(format, pieces)
    local items, problem, parser = read(format, pieces)
    local texts = {}
    for i, item in ipairs(items) do
      texts[i] = item.data
    end
    return table.concat(texts), problem, parser.format
  end

  it("raw: each piece as it comes", function()
    assert.same({ { { data = "a" }, { data = "b\0" } } }, { (read("raw", { "a", "", "b\0" })) })
  end)

  it("auto: raw, if it begins otherwise", function()
    for _, text in ipairs { "Hello data: x\n\n", "dat", "\239\187", "\239\187\191", "data", "ideas", "{}" } do
      assert.same({ text, nil, "raw" }, { joined("auto", { text }) })
      assert.same({ text, nil, "raw" }, { joined("auto", bytes_of(text)) })
    end
  end)
end)

describe("beam.http.event_stream, bounds", function()
  local message = "an item is larger than 10 bytes"

  it("counts the whole item, and gives what came before", function()
    check("sse", "data: 1\n\ndata: 12345\n\ndata: 2\n\n", { { data = "1" } }, 10, message)
    check("sse", "data: 1234\n\n:23456789\n\ndata: 5678\n\n", { { data = "1234" }, { data = "5678" } }, 10)
    check("sse", "data: 1\n\ndata\ndata\ndata\n\n", { { data = "1" } }, 10, message)
    check("sse", ":" .. ("x"):rep(10), {}, 10, message)
    check("data", "data: 1\n\nso it goes on", { { data = "1" } }, 10, message)
    check("lines", "1234567890\n12345678901\n", { { data = "1234567890" } }, 10, message)
    check("lines", "12345678901", {}, 10, message)
    check("whole", "1234567890", { { data = "1234567890" } }, 10)
    check("whole", "12345678901", {}, 10, message)
  end)

  it("fails for good, after what was whole", function()
    local parser = event_stream.new { format = "lines", max = 3 }
    assert.same({ { { data = "1" } } }, { parser:feed "1\n1234\n2\n" })
    assert.same({ nil, "an item is larger than 3 bytes" }, { parser:feed "3\n" })
    assert.same({ nil, "an item is larger than 3 bytes" }, { parser:finish() })
  end)

  -- Twice as much takes about twice as long, not four times. A wide margin: only what is quadratic is to fail.
  it("takes linear time byte by byte", function()
    local function seconds(size)
      local parser, before = event_stream.new { format = "lines" }, os.clock()
      for _ = 1, size do
        parser:feed "x"
      end
      parser:feed "\n"
      return os.clock() - before
    end
    seconds(20000)
    local small, large = seconds(50000), seconds(400000)
    assert.is_true(large < 30 * small + 0.1, ("%g s for 50,000 bytes, %g s for 400,000"):format(small, large))
  end)
end)
