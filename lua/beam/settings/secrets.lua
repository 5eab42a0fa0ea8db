-- Every secret that this process has used as a credential, and the one place that hides them: in messages, in what is shown of a server's
-- answer, in log lines, in recordings. They are learned where they are used: a token that a function gave before is still one.
local percent = require "beam.base.percent"
local secret_list = require "beam.settings.secret_list"

local secrets = {}

local known = secret_list.new()

--- The list itself: a recording hides the short ones, too, and adds what it sees on the wire.
secrets.known = known

--- The credentials of an attempt.
---@param auth beam.core.auth
function secrets.learn_auth(auth)
  if auth.secret and (auth.id or not known.known[auth.secret]) then -- of one that is known, another id is another text
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
  local plain = percent.decode(password)
  known:learn_auth { id = percent.decode(user), secret = plain }
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
  if type(text) == "string" and known.long_forms[1] then
    return known:hide_long(text)
  end
  return text
end

return secrets
