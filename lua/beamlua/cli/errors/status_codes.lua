-- Exit codes of answers that are no success: by their status, so that a script can tell them apart. Other statuses have the code of the
-- kind of the error (beamlua/cli/exit_codes.lua).
local status_codes = {
  unauthorized = 31, -- 401
  too_many = 32, -- 429
  client = 34, -- other 4xx
  server = 35, -- 5xx
}

local words = {
  unauthorized = "status 401: the credentials were not accepted",
  too_many = "status 429: too many requests or tasks",
  client = "another status of 4xx: the request was refused",
  server = "a status of 5xx: the handler, or Beam, failed",
}

---@param status integer?
---@return integer?
function status_codes.of(status)
  if status == 401 then
    return status_codes.unauthorized
  elseif status == 429 then
    return status_codes.too_many
  elseif status and status >= 400 and status < 500 then
    return status_codes.client
  elseif status and status >= 500 and status < 600 then
    return status_codes.server
  end
end

--- The codes and what they mean, in order.
---@return { [1]: integer, [2]: string }[]
function status_codes.list()
  local list = {}
  for name, text in pairs(words) do
    list[#list + 1] = { status_codes[name], text }
  end
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  return list
end

return status_codes
