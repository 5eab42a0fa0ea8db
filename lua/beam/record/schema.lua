-- What the lines of a recording are made of: the events, their fields, and what these may be.
local json = require "beam.json"

local schema = {}

-- event = { of: connection or request; its fields in order, "?" for those that may be missing; begins, ends: its place in an exchange }
-- data: text or base64.
schema.events = {
  connect = { of = "connection", begins = true, "host", "target", "headers" },
  phase = { of = "connection", "phase" },
  open = { of = "connection", "status", "headers" },
  sent = { of = "connection", "data" },
  received = { of = "connection", "data" },
  sent_ping = { of = "connection", "data" },
  ping = { of = "connection", "data" },
  pong = { of = "connection", "data" },
  close = { of = "connection", "code?", "reason?" },
  abort = { of = "connection" },
  closed = { of = "connection", ends = true, "code", "reason", "error?", "message?", "status?", "headers?", "data?" },
  left = { of = "connection", ends = true },
  request = { of = "request", begins = true, "method", "host", "target", "headers", "data?", "upload?" },
  sent_piece = { of = "request", "data" },
  sent_end = { of = "request" },
  answer = { of = "request", "status", "headers" },
  piece = { of = "request", "data" },
  done = { of = "request", ends = true, "error?", "message?", "status?", "headers?", "data?" },
  abandoned = { of = "request", ends = true },
  full = { "bytes" }, -- the bound of the file: nothing follows
}

function schema.is_text(value)
  return type(value) == "string"
end

function schema.is_natural(value)
  return type(value) == "number" and value >= 0 and value <= 2 ^ 53 and value % 1 == 0
end

local function is_pairs(value)
  if not json.is_array(value) then
    return false
  end
  for _, pair in ipairs(value) do
    if not (json.is_array(pair) and #pair == 2 and schema.is_text(pair[1]) and schema.is_text(pair[2])) then
      return false
    end
  end
  return true
end

local function is_true(value)
  return value == true
end

--- field = { whether it may have that value, what it is to be }
schema.checks = {
  host = { schema.is_text, "a string" },
  target = { schema.is_text, "a string" },
  method = { schema.is_text, "a string" },
  phase = { schema.is_text, "a string" },
  reason = { schema.is_text, "a string" },
  error = { schema.is_text, "a string" },
  message = { schema.is_text, "a string" },
  text = { schema.is_text, "a string" },
  base64 = { schema.is_text, "a string" },
  code = { schema.is_natural, "a whole number" },
  status = { schema.is_natural, "a whole number" },
  bytes = { schema.is_natural, "a whole number" },
  headers = { is_pairs, "a list of pairs of strings" },
  upload = { is_true, "true" },
}

return schema
