-- beamlua replay view: what a recording says, as lanes, as text and as a page.
local chart = require "beamlua.timeline.chart"
local json = require "beam.json"
local page = require "beamlua.timeline.page"
local recording = require "beam.recording"
local session_of = require("beamlua.timeline.lanes").of

local function event(at, fields)
  fields.at = at
  for _, name in ipairs { "headers" } do
    fields[name] = fields[name] and json.array(fields[name])
  end
  return (json.encode(fields)) .. "\n"
end

local function read(...)
  local text = '{"recording":"beam","version":1,"beamlua":"0.1.0","started":"2026-11-21T23:34:34Z"}\n' .. table.concat { ... }
  return session_of(assert(recording.parse(text)))
end

local function request(at, number, target)
  return event(at, { request = number, event = "request", method = "POST", host = "h:1", target = target, headers = {}, text = "{}" })
end

local function connect(at, number)
  return event(at, { connection = number, event = "connect", host = "h:1", target = "/asgi/echo", headers = {} })
end

local function of(number, at, name, fields)
  fields = fields or {}
  fields.connection, fields.event = number, name
  return event(at, fields)
end

local function closed(number, at, err)
  return of(number, at, "closed", { code = err and 1006 or 1000, reason = "", error = err, message = err and "it was lost" })
end

local function outcomes(lane)
  local list = {}
  for _, mark in ipairs(lane.marks) do
    list[#list + 1] = mark.outcome
  end
  return list
end

describe("beamlua replay view", function()
  it("tells a further try from another request, and how long it had waited", function()
    local session = read(
      request(0.1, 1, "/a"),
      event(0.2, { request = 1, event = "done", status = 503, headers = {}, text = "" }),
      request(0.5, 2, "/a"),
      event(0.6, { request = 2, event = "done", error = "timeout", message = "slow" }),
      request(0.7, 3, "/b"),
      request(1.5, 4, "/a"),
      event(1.6, { request = 4, event = "done", status = 200, headers = {}, text = "" }),
      request(1.7, 5, "/a"),
      event(1.8, { request = 5, event = "abandoned" })
    )
    local lanes = session.lanes
    assert.same({ false, false, true, true, false }, { lanes[1].ok, lanes[2].ok, lanes[3].ok, lanes[4].ok, lanes[5].ok })
    assert.same({ nil, 2, nil, 3, nil }, { lanes[1].try, lanes[2].try, lanes[3].try, lanes[4].try, lanes[5].try })
    assert.equal("200, 100.0 ms; try 3, 900.0 ms after request 2", chart.result(lanes[4]))
    assert.equal("timeout: slow, 100.0 ms; try 2, 300.0 ms after request 1", chart.result(lanes[2]))
    assert.matches("still open", chart.result(lanes[3]))
    assert.equal("session of 2026-11-21T23:34:34Z, 1.80 s: 0 connections, 5 requests", chart.title(session))
  end)

  it("says of each message that was sent whether it is known to have arrived", function()
    local session = read(
      connect(0, 1),
      of(1, 0.1, "sent", { text = "a" }),
      of(1, 0.2, "sent_ping", { text = "1" }),
      of(1, 0.3, "sent", { text = "b" }),
      of(1, 0.4, "pong", { text = "1" }),
      closed(1, 0.5, "closed"),
      connect(1, 2),
      of(2, 1.1, "sent", { text = "c" }),
      of(2, 1.2, "close", { code = 1000 }),
      closed(2, 1.3),
      connect(2, 3),
      of(3, 2.1, "sent", { base64 = "AP8=" }),
      of(3, 2.2, "left")
    )
    local lanes = session.lanes
    assert.same({ { "written", "unknown" }, { "written" }, { "unknown" } }, { outcomes(lanes[1]), outcomes(lanes[2]), outcomes(lanes[3]) })
    assert.same({ 1, 0, 1 }, { lanes[1].lost, lanes[2].lost, lanes[3].lost })
    assert.equal("closed: it was lost, 500.0 ms; 1 message of unknown fate", chart.result(lanes[1]))
    assert.same({ nil, 2 }, { lanes[1].try, lanes[2].try })
    assert.equal("2 bytes   [unknown]", chart.mark(lanes[3].marks[1]))
  end)

  it("draws phases and messages on one scale", function()
    local session = read(
      connect(0, 1),
      of(1, 0, "phase", { phase = "dns" }),
      of(1, 0.25, "phase", { phase = "tls" }),
      of(1, 0.5, "phase", { phase = "open" }),
      of(1, 0.75, "received", { text = "x" }),
      closed(1, 1, "closed")
    )
    local text = chart.text(session, 40)
    assert.matches("connection 1  |dddddtttttt=====<====x|", text, 1, true)
    assert.matches("0.0000     dns for 250.0 ms\n", text, 1, true)
    assert.matches("0.7500  <- x\n", text, 1, true)
  end)

  it("shows nothing that a terminal or a browser would obey", function()
    local evil = '\27[2J<script>alert("x")</script>\n&'
    local session = read(connect(0, 1), of(1, 0.1, "received", { text = evil }), closed(1, 0.2), request(0.3, 1, "/<b>" .. '"'))
    local text, html = chart.text(session, 80), page.text(session)
    assert.is_nil(text:find "\27")
    assert.matches("\\x1b[2J<script>", text, 1, true)
    assert.is_nil(html:find("<script", 1, true))
    assert.matches("&lt;script&gt;alert(&quot;x&quot;)", html, 1, true)
    assert.matches("POST /&lt;b&gt;&quot;", html, 1, true)
    assert.is_nil(html:find "https?://")
  end)

  it("takes what is empty, full, long or cut off", function()
    assert.matches("0 connections, 0 requests", chart.text(read(), 80))
    assert.matches("<svg", page.text(read()))
    local full = read(connect(0, 1), of(1, 0.1, "sent", { text = ("x"):rep(1000) }), event(0.2, { event = "full", bytes = 99 }))
    assert.matches("cut off at 99 bytes", chart.title(full))
    assert.matches(("x"):rep(60) .. "… (1000 bytes)", chart.text(full, 80), 1, true)
  end)

  it("is a command: text, a page, and what is no recording", function()
    local path = os.tmpname()
    local function write(text)
      local file = assert(io.open(path, "wb"))
      file:write(text)
      file:close()
    end
    local function run(arguments)
      local pipe = io.popen((os.getenv "BEAMLUA" or "build/beamlua") .. " replay view " .. path .. " " .. arguments .. " 2>&1; echo $?")
      local text = pipe:read "*a"
      pipe:close()
      return text
    end
    write('{"recording":"beam","version":1,"beamlua":"0.1.0","started":"then"}\n' .. connect(0, 1) .. closed(1, 1))
    assert.matches("^session of then, 1.00 s: 1 connection, 0 requests\n.*\n0\n$", run "")
    assert.equal("0\n", run("--html " .. path .. ".html"))
    local file = assert(io.open(path .. ".html"))
    assert.matches("^<!doctype html>", file:read "*a")
    file:close()
    assert.matches("the page cannot be written: .*\n22\n$", run "--html /no/such/folder/x")
    write "nonsense\n"
    assert.matches("line 1: no JSON.*\n22\n$", run "")
    os.remove(path)
    os.remove(path .. ".html")
  end)
end)
