-- A recording as lanes: each connection and each request with its phases, what passed in it, how it ended, and what it was a further try
-- of.
--
--   session = { started, beamlua, seconds, lanes, full }
--   lane    = { kind, number, label, from, to, phases = {{ name, from, to }}, marks = {{ at, way, name, bytes, text, outcome }},
--               result, ok, try, of, waited }
-- way: "out" or "in"; outcome: of a message that was sent, "written" or "unknown".
local session = {}

local longest = 60 -- characters of a message that are shown

local ways = { sent = "out", sent_ping = "out", sent_piece = "out", close = "out", abort = "out" }
ways.received, ways.ping, ways.pong, ways.piece, ways.answer = "in", "in", "in", "in", "in"

local function new_lane(event)
  local kind = event.event == "connect" and "connection" or "request"
  return {
    kind = kind,
    number = event[kind],
    label = (event.method and event.method .. " " or "") .. event.target,
    host = event.host,
    from = event.at,
    phases = {},
    marks = {},
    data = event.data,
  }
end

local function end_phase(lane, at)
  local phase = lane.phases[#lane.phases]
  if phase and not phase.to then
    phase.to = at
  end
end

local function begin_phase(lane, name, at)
  end_phase(lane, at)
  lane.phases[#lane.phases + 1] = { name = name, from = at }
end

local function mark(lane, event)
  local data = event.data or event.reason or ""
  local text = event.binary and ("%d bytes"):format(#data) or data:sub(1, longest)
  if event.code then
    text = (event.code .. " " .. text):gsub(" $", "")
  elseif event.status then
    text = tostring(event.status)
  end
  local cut = not event.binary and #data > longest
  local one = { at = event.at, way = ways[event.event], name = event.event, bytes = #data, text = text, cut = cut }
  lane.marks[#lane.marks + 1] = one
  return one
end

-- ---- What became of what was sent ----

-- A pong says that everything before its ping has arrived.
local function settle(lane, pong)
  local settled = false
  for i = #lane.marks, 1, -1 do
    local one = lane.marks[i]
    settled = settled or one.name == "sent_ping" and one.text == pong.text
    if settled and one.name == "sent" then
      one.outcome = "written"
    end
  end
end

local function outcomes(lane, known)
  local lost = 0
  for _, one in ipairs(lane.marks) do
    if one.name == "sent" and not one.outcome then
      one.outcome = known and "written" or "unknown"
      lost = lost + (known and 0 or 1)
    end
  end
  lane.lost = lost
end

-- ---- Ends ----

local function status_of(event)
  return event.status and tostring(event.status) or event.error or "closed"
end

local ends = {}

function ends.done(lane, event)
  local status = event.status or lane.status
  lane.ok = event.error == nil and (not status or status < 400)
  lane.result = event.error and ("%s: %s"):format(event.error, event.message or "") or tostring(status or "no answer")
end

function ends.abandoned(lane)
  lane.ok, lane.result = false, "given up by the program"
end

function ends.closed(lane, event)
  lane.ok = event.error == nil
  lane.result = ("closed %d %s"):format(event.code, event.reason)
  if not lane.ok then
    lane.result = ("%s: %s"):format(status_of(event), event.message or event.reason)
  end
  outcomes(lane, lane.ok)
end

function ends.left(lane)
  lane.ok, lane.result = true, "given back by the program"
  outcomes(lane, false)
end

local function finish(lane, event)
  end_phase(lane, event.at)
  lane.to = event.at
  ends[event.event](lane, event)
end

-- ---- Further tries ----

-- One that failed, asked for again: the newest of the same that had ended before.
local function earlier(lanes, lane)
  for i = #lanes, 1, -1 do
    local other = lanes[i]
    if other.kind == lane.kind and other.host == lane.host and other.label == lane.label and other.data == lane.data then
      return other.to and not other.ok and other or nil
    end
  end
end

local function begin(lanes, event)
  local lane = new_lane(event)
  local before = earlier(lanes, lane)
  if before then
    lane.of, lane.try, lane.waited = before, (before.try or 1) + 1, lane.from - before.to
  end
  lanes[#lanes + 1] = lane
  return lane
end

local function take(lane, event)
  if event.event == "phase" then
    begin_phase(lane, event.phase, event.at)
  elseif event.event == "answer" then
    lane.status = event.status
    begin_phase(lane, "answer", event.at)
    mark(lane, event)
  elseif ways[event.event] then
    local one = mark(lane, event)
    if event.event == "pong" then
      settle(lane, one)
    end
  end
end

--- Reads what passed.
---@param recording beam.recording
---@return table session
function session.of(recording)
  local lanes, open, last = {}, {}, 0
  local result = { started = recording.started, beamlua = recording.beamlua, lanes = lanes }
  for _, event in ipairs(recording.events) do
    local key = (event.connection and "c" or "r") .. (event.connection or event.request or "")
    last = event.at
    if event.event == "connect" or event.event == "request" then
      open[key] = begin(lanes, event)
    elseif event.event == "full" then
      result.full = event.bytes
    elseif ends[event.event] then
      finish(open[key], event)
    else
      take(open[key], event)
    end
  end
  for _, lane in ipairs(lanes) do
    if not lane.to then
      end_phase(lane, last)
      lane.to, lane.ok, lane.result = last, true, "still open at the end of the recording"
      outcomes(lane, false)
    end
  end
  result.seconds = last
  return result
end

return session
