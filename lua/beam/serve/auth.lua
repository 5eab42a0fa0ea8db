-- Who may call (docs/wire.md section 3): Bearer or the raw token, ?auth_token= only where the header is missing, Basic only where it is
-- configured. A token that is none is 401 "Unauthorized"; one of another workspace is known, but no good for these apps: "Invalid token".
local base64 = require "beam.base64"

local auth = {}

local function is_good(options, header, given)
  if options.basic and header == "Basic " .. base64.encode(options.basic.id .. ":" .. options.basic.secret) then
    return true
  end
  return options.token ~= nil and (given:match "^Bearer (.*)$" or given) == options.token
end

local function is_foreign(options, given)
  return options.foreign_token ~= nil and (given:match "^Bearer (.*)$" or given) == options.foreign_token
end

--- Checks a request. options: token, basic = {id=, secret=}, foreign_token; with neither of the first two, everybody is let in.
---@param options table
---@param header string? Authorization
---@param query_token string? ?auth_token=
---@param public boolean? the address needs no credentials; bad ones are refused there, too
---@return boolean? allowed, string? message of the 401
function auth.check(options, header, query_token, public)
  local given = header or query_token or ""
  if is_foreign(options, given) then
    return nil, "Invalid token"
  elseif not options.token and not options.basic then
    return true
  elseif given == "" and public or given ~= "" and is_good(options, header, given) then
    return true
  end
  return nil, "Unauthorized"
end

return auth
