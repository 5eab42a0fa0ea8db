-- Close codes: may a new connection help? And why it was closed, where the code says more than its name.
local close_codes = {}

local all = {
  [1000] = { retryable = false },
  [1001] = { retryable = true },
  [1002] = { retryable = false },
  [1003] = { retryable = false, hint = "the app does not take this kind of message: text or binary" },
  [1005] = {
    retryable = false,
    hint = "no code was given: an end that was meant, or a refusal of the path or the credentials after the opening",
  },
  [1006] = {
    retryable = true,
    hint = "the connection was lost without a close frame: the network, the app's container or the gateway went away",
  },
  [1007] = { retryable = false, hint = "text messages must be UTF-8: use send_binary for bytes" },
  [1008] = { retryable = false },
  [1009] = { retryable = false, hint = "a message was too large: Beam takes up to 16 MiB, max_message bounds what we take" },
  [1011] = { retryable = true, hint = "the app failed, or heard no answer to its pings for 20 s" },
  [1012] = { retryable = true, hint = "the app restarts" },
  [1013] = { retryable = true, hint = "the app is overloaded" },
  [1014] = { retryable = true, hint = "a gateway on the way could not reach the app" },
}

--- For those who explain them. Not to be changed.
close_codes.all = all

-- What we may find wrong with what the peer sends.
local found = { too_large = "raise max_message if such messages are wanted" }

--- A connection ended: what was written last may or may not have been handled.
---@param code integer
---@param kind string "closed", or what we found wrong: that is not mended by another connection
---@return beam.outcome
function close_codes.outcome(code, kind)
  if kind ~= "closed" and kind ~= "timeout" then
    return { executed = "unknown", retryable = false, hint = found[kind] }
  end
  local row = all[code] or { retryable = false }
  return { executed = "unknown", retryable = row.retryable, hint = row.hint }
end

return close_codes
