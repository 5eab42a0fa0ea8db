-- Secrets, and each of them in every form in which it is known to travel.
--
-- One is learned where it is used (the auth of a request, a header, a URL); from then on each of its forms is replaced wherever it
-- stands: in messages, bodies, targets, errors. A secret of fewer than 4 bytes is none.
local ascii = require "beam.base.ascii"
local base64 = require "beam.base64"
local json = require "beam.json"
local percent = require "beam.base.percent"

local secrets = {}

local Secrets = {}
Secrets.__index = Secrets

local mark = "[secret]"
local shortest = 4
local long = 8 -- what is shorter stands in ordinary words, too
local most = 256 -- secrets that are looked for; of more, as a token function may give, the newest

-- Parameters of a query that are credentials by themselves, those of links to files among them.
local parameters = {
  ["access_token"] = true,
  ["api_key"] = true,
  ["apikey"] = true,
  ["key"] = true,
  ["password"] = true,
  ["secret"] = true,
  ["sig"] = true,
  ["signature"] = true,
  ["token"] = true,
  ["x-amz-credential"] = true,
  ["x-amz-security-token"] = true,
  ["x-amz-signature"] = true,
  ["x-goog-signature"] = true,
}

-- As it is, in a URL, in JSON (which may escape slashes), in base64 with and without padding and in the alphabet for URLs.
local function forms_of(secret)
  local coded = base64.encode(secret):gsub("=+$", "")
  local quoted = json.encode(secret)
  return {
    secret,
    percent.encode(secret),
    quoted and quoted:sub(2, -2) or secret,
    (secret:gsub("/", "\\/")),
    coded,
    (coded:gsub("%+", "-"):gsub("/", "_")),
  }
end

-- Of the secrets of so many bytes at least. Without doubles; of two that begin alike the longer one first.
local function all_forms(list, least)
  local forms, there = {}, {}
  for _, entry in ipairs(list) do
    for _, form in ipairs(entry.forms) do
      if #entry.secret >= least and not there[form] then
        there[form] = true
        forms[#forms + 1] = form
      end
    end
  end
  table.sort(forms, function(a, b)
    return #a > #b
  end)
  return forms
end

function secrets.new()
  return setmetatable({ list = {}, forms = {}, long_forms = {}, known = {} }, Secrets)
end

---@param secret string?
function Secrets:learn(secret)
  if type(secret) ~= "string" or #secret < shortest or self.known[secret] then
    return
  end
  self.known[secret] = true
  table.insert(self.list, { secret = secret, forms = forms_of(secret) })
  if #self.list > most then
    self.known[table.remove(self.list, 1).secret] = nil
  end
  self.forms, self.long_forms = all_forms(self.list, shortest), all_forms(self.list, long)
end

--- The credentials of a request: { scheme=, id=, secret= }.
---@param auth beam.core.auth?
function Secrets:learn_auth(auth)
  if auth and auth.secret then
    self:learn(auth.secret)
    if auth.id then
      self:learn(base64.encode(auth.id .. ":" .. auth.secret))
    end
  end
end

--- What stands in a header that is for credentials.
---@param headers beam.core.headers?
function Secrets:learn_headers(headers)
  for _, pair in ipairs(headers or {}) do
    local name = ascii.lower(tostring(pair[1]))
    if name == "authorization" or name == "proxy-authorization" then
      local value = tostring(pair[2])
      local content = value:match "^[A-Za-z]+%s+(.+)$" or value
      self:learn(content)
      local plain = value:find "^[Bb]asic " and base64.decode(content)
      self:learn(plain and plain:match "^[^:]*:(.*)$")
    end
  end
end

--- What stands in the query as auth_token.
---@param target string a URL, or what a request has of it
function Secrets:learn_target(target)
  for value in target:gmatch "[?&]auth_token=([^&#]*)" do
    self:learn(value)
    self:learn(percent.decode(value))
  end
end

--- The same text without them.
---@param text string
---@param forms string[]?
---@return string
function Secrets:hide(text, forms)
  for _, form in ipairs(forms or self.forms) do
    local first, last = text:find(form, 1, true)
    while first do
      text = text:sub(1, first - 1) .. mark .. text:sub(last + 1)
      first, last = text:find(form, first + #mark, true)
    end
  end
  return text
end

--- The same text without those of 8 bytes and more.
---@param text string
---@return string
function Secrets:hide_long(text)
  return self:hide(text, self.long_forms)
end

--- For what comes in pieces: the text without them, and its end that may be the beginning of one: to be put before the next piece.
---@param text string
---@return string hidden
---@return string rest
function Secrets:hide_piece(text)
  text = self:hide(text)
  local longest = 0
  for _, form in ipairs(self.forms) do
    for length = math.min(#form - 1, #text), longest + 1, -1 do
      if text:sub(-length) == form:sub(1, length) then
        longest = length
        break
      end
    end
  end
  return text:sub(1, #text - longest), text:sub(#text - longest + 1)
end

--- A target without credentials: auth_token is left out, other values that are some are hidden.
---@param target string "/asgi/echo?x=1"
---@return string
function Secrets:hide_target(target)
  local path, query = target:match "^([^?]*)%??(.*)$"
  local kept = {}
  for pair in query:gmatch "[^&]+" do
    local name = ascii.lower(percent.decode(pair:match "^[^=]*"))
    if parameters[name] then
      kept[#kept + 1] = pair:match "^[^=]*" .. "=" .. mark
    elseif name ~= "auth_token" then
      kept[#kept + 1] = pair
    end
  end
  return self:hide(path .. (#kept > 0 and "?" .. table.concat(kept, "&") or ""))
end

return secrets
