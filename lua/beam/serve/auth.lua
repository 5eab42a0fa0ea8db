-- Who may call (wire.md section 3): Bearer or the raw token, ?auth_token= only where the header is missing, Basic only where
-- it is configured.
local auth = {}

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(s)
  local out = {}
  for i = 1, #s, 3 do
    local a, b, c = s:byte(i, i + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    for shift = 18, 0, -6 do
      local index = math.floor(bits / 2 ^ shift) % 64
      out[#out + 1] = alphabet:sub(index + 1, index + 1)
    end
    if not c then
      out[#out] = "="
    end
    if not b then
      out[#out - 1] = "="
    end
  end
  return table.concat(out)
end

--- Checks a request. options: token, basic = {id=, secret=}; with neither, everybody is let in.
--- Returns true, or nil and the message of the 401.
function auth.check(options, header, query_token, public)
  local expected = options.token
  local basic = options.basic and "Basic " .. base64(options.basic.id .. ":" .. options.basic.secret)
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
