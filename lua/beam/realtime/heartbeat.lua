-- Beam's app ping: {"type":"ping"} as a text message, right after open and then every 5 s (wire.md section 5). It wants
-- no answer: an answer would be fed to the handler.
local heartbeat = {}

--- An object whose single key is `type`, with the value `ping`. A handler may send the same; who needs that turns the
--- filter off.
---@param text string
---@return boolean
function heartbeat.is_app_ping(text)
  return text:find '^%s*{%s*"type"%s*:%s*"ping"%s*}%s*$' ~= nil
end

return heartbeat
