-- Who may call (docs/wire.md section 3): Bearer or the raw token, ?auth_token= only where the header is missing, Basic only where
-- it is configured.
local base64 = require "beam.base64"

local auth = {}

--- Checks a request. options: token, basic = {id=, secret=}; with neither, everybody is let in.
--- Returns true, or nil and the message of the 401.
function auth.check(options, header, query_token, public)
  local expected = options.token
  local basic = options.basic and "Basic " .. base64.encode(options.basic.id .. ":" .. options.basic.secret)
  if not expected and not basic then
    return true
  end
  local given = header or query_token
  if not given or given == "" then
    if public then
      return true
    end
    return nil, "Unauthorized"
  elseif basic and header == basic then
    return true
  elseif expected and (given:match "^Bearer (.*)$" or given) == expected then
    return true
  end
  return nil, "Invalid token"
end

return auth
