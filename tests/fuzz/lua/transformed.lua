-- A stream of events in any cut, each event through a chain of transforms made of the bytes: what comes out is what comes out of the
-- same events without cuts, each through the same functions one after the other by hand; a failure names its function and its message,
-- and the chain serves the next message.
local event_stream = require "beam.http.event_stream"
local transform = require "beam.realtime.transform"

local KINDS = {
  function(message)
    return message
  end,
  function(message)
    return { message = message }
  end,
  function() end,
  function(message)
    return message, message
  end,
  function(message)
    return "a", nil, message
  end,
  function(message)
    return nil, "refused " .. tostring(message)
  end,
  function(message)
    error(message, 0)
  end,
  function(message)
    return type(message) == "string" and #message % 2 == 0 and message or nil
  end,
}

-- What a chain is by its description: a list of what comes out, or nil and the position of the function that failed.
local function by_hand(chain, index, message, out)
  local fn = chain[index]
  if not fn then
    out[#out + 1] = message
    return true
  end
  local results = table.pack(pcall(fn, message))
  if not results[1] or results.n > 2 and results[2] == nil and results[3] ~= nil then
    return nil, index
  end
  for i = 2, results.n do
    if results[i] ~= nil then
      local ok, failed = by_hand(chain, index + 1, results[i], out)
      if not ok then
        return nil, failed
      end
    end
  end
  return true
end

local function shown(value)
  return type(value) == "table" and "{" .. shown(value.message) .. "}" or tostring(value)
end

local function check(through, chain, message)
  local results = table.pack(through(message, {}))
  local wanted = {}
  local ok, failed = by_hand(chain, 1, message, wanted)
  if not ok then
    local err = results[2]
    assert(not results[1] and err.kind == "transform", "a failure passed")
    assert(err.message:find("incoming transform " .. failed .. " ", 1, true), err.message)
    return
  end
  assert(results[1], "a failure that is none")
  for i = 1, math.max(#wanted, results.n - 1) do
    assert(shown(wanted[i]) == shown(results[i + 1]), ("%d: %s, and by hand %s"):format(i, shown(results[i + 1]), shown(wanted[i])))
  end
end

local function events(text, size, each)
  local parser = event_stream.new { format = "sse", max = 512 }
  for first = 1, #text, size do
    for _, item in ipairs(parser:feed(text:sub(first, first + size - 1)) or {}) do
      each(item.data)
    end
  end
end

return function(bytes)
  local settings, chain = bytes:byte(1) or 0, {}
  for i = 1, settings % 4 + 1 do
    chain[i] = KINDS[(bytes:byte(1 + i) or 0) % #KINDS + 1]
  end
  local through = transform.chain(chain, "incoming")
  local text, whole, cut = bytes:sub(6), {}, {}
  events(text, #text + 1, function(data)
    whole[#whole + 1] = data
  end)
  events(text, settings // 4 % 9 + 1, function(data)
    cut[#cut + 1] = data
    check(through, chain, data)
  end)
  for i = 1, math.min(#whole, #cut) do
    assert(whole[i] == cut[i], "the cuts change an event")
  end
end
