-- Every secret that this process has used as a credential, and the one place that hides them: in messages, in what is shown of a server's
-- answer, in log lines. They are learned where they are used: a token that a function gave before is still one.
local compare = require "beam.record.secrets"

local secrets = {}

local known = compare.new(8) -- what is shorter stands in ordinary words, too

--- The credentials of an attempt.
---@param auth beam.core.auth
function secrets.learn_auth(auth)
  if auth.secret and not known.known[auth.secret] then
    known:learn_auth(auth)
  end
end

--- Headers of the caller's that are for credentials.
---@param headers beam.core.headers?
function secrets.learn_headers(headers)
  if headers and headers[1] then
    known:learn_headers(headers)
  end
end

---@param secret string? a signing key, say
function secrets.learn(secret)
  known:learn(secret)
end

--- The password in a proxy's URL.
---@param url string?
function secrets.learn_proxy(url)
  local user, password = (url or ""):gsub("^[A-Za-z]+://", ""):match "^([^/@:]*):([^@]*)@"
  if not password then
    return
  end
  local plain = compare.percent_decode(password)
  known:learn_auth { id = compare.percent_decode(user), secret = plain }
  known:learn(password)
end

for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY" } do
  secrets.learn_proxy(os.getenv(name))
end

--- The same text with each of them replaced by "[secret]", whatever its form: as it is, in a URL, in JSON, in base64.
---@generic T
---@param text T anything but a string stays as it is
---@return T
function secrets.hide(text)
  if type(text) == "string" and known.forms[1] then
    return known:hide(text)
  end
  return text
end

return secrets
