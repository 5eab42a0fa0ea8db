-- A connection script: greets, answers questions of the program, and keeps its count through a reload.
local state = { received = 0 }

local hooks = {}

function hooks.open()
  beam.send { event = "hello" }
end

function hooks.incoming(message)
  message.seen_at = beam.now()
  return message
end

function hooks.message(message)
  state.received = state.received + 1
  beam.emit("received", { count = state.received, response = message.response })
end

-- Twice, then no more; without this hook the default policy would go on longer.
function hooks.retry(attempt, err)
  return attempt <= 2 and err.retryable and 0.2 or nil
end

function hooks.save()
  return state
end

function hooks.restore(saved)
  state = saved
end

-- Not a hook: the program calls it.
function hooks.count()
  return { received = state.received }
end

return hooks
