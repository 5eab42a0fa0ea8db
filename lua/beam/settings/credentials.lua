-- Who we are, to Beam: by argument, by a local Beam's own token, by the environment, or by the file of Beam's own tools; and what each
-- attempt is given of it.
--
-- Secrets stand in a closure, not in the settings: whoever prints a client prints none.
local contexts = require "beam.settings.contexts"
local errors = require "beam.error"
local local_token = require "beam.settings.local_token"
local log = require "beam.log"
local places = require "beam.settings.places"
local secrets = require "beam.settings.secrets"
local token_from = require("beam.settings.token").from

local credentials = {}

-- ---- The environment and the file ----

local function fail(message, hint)
  return nil, errors.new { kind = "config", message = message, hint = hint }
end

-- A variable that is empty counts as one that is not set.
local function told(sys, name)
  local value = sys.getenv(name)
  return value ~= "" and value or nil
end

local function auth_of_environment(sys)
  for _, name in ipairs { "BEAM_TOKEN", "BETA9_TOKEN" } do
    local token = told(sys, name)
    if token then
      return { token = token }, name
    end
  end
  local id, secret = told(sys, "BEAM_CLIENT_ID"), told(sys, "BEAM_CLIENT_SECRET")
  if id and secret then
    return { basic = { id = id, secret = secret } }, "BEAM_CLIENT_ID"
  elseif id or secret then
    return fail("one of BEAM_CLIENT_ID and BEAM_CLIENT_SECRET is set without the other", "set both, or BEAM_TOKEN")
  end
  return {}
end

-- The token of a local Beam on this machine is good there alone, and nothing else is: it goes before what the environment has for Beam.
local function local_auth(options, sys)
  local asked = options.context or options.config or sys.getenv "BEAM_CONFIG_PATH"
  if asked and asked ~= "" then
    return nil
  end
  local gateway = places.find_gateway(options, sys)
  local token, path = local_token.find(sys, gateway)
  if not token then
    return nil
  end
  local auth, name = auth_of_environment(sys)
  if auth and next(auth) then
    log.write("info", ("the token of the local Beam at %s is used, in place of %s (%s)"):format(gateway, name, path))
    return { token = token }, "file " .. path, name
  end
  return { token = token }, "file " .. path
end

-- A section that was asked for by argument is meant, whatever the environment has.
local function auth_of_context(options, sys)
  local token, where = contexts.token(sys, options)
  if token then
    return { token = token }, "file " .. where
  elseif token == nil then
    return nil, where
  elseif where then
    return fail(where .. " has no token", "log in to this context with Beam's command line tool")
  end
  return fail("there is no config file that could have the context " .. tostring(options.context), "name one with the option config")
end

--- Who we are: the argument, also one that names a section of the file, else a local Beam's own token, else the environment, else the file.
---@param options beam.options
---@param sys { getenv: fun(name: string): string?, read: fun(path: string): string? }
---@return { token: any?, basic: table? }? who, string|beam.error where it comes from
---@return string? passed_over what is, for a local Beam
function credentials.find(options, sys)
  if options.token ~= nil or options.basic then
    return { token = options.token, basic = options.basic }, "argument"
  end
  if options.context or options.config then
    return auth_of_context(options, sys)
  end
  local own, path, passed_over = local_auth(options, sys)
  if own then
    return own, path, passed_over
  end
  local auth, name = auth_of_environment(sys)
  if not auth or next(auth) then
    return auth, auth and "environment " .. name or name
  end
  local token, where = contexts.token(sys, options)
  if token == nil then
    return nil, where
  end
  return { token = token }, token and "file " .. where or "nowhere"
end

-- ---- Of each attempt ----

local fixed = setmetatable({}, { __mode = "k" }) -- such functions that ask nobody

--- A function that makes the beam.core.auth of one attempt, or nil and an error. The settings say how it is sent.
---@param who { token: any?, basic: { id: string, secret: string }? }
---@return fun(settings: beam.settings, seconds: number?): beam.core.auth?, beam.error?
function credentials.of(who)
  local token, basic = who.token, who.basic
  local last -- what a token that is a text came to: the same for each attempt
  local function of_token(settings)
    local scheme, plaintext = settings.auth or "bearer", settings.insecure_auth
    if not last or last.scheme ~= scheme or last.plaintext ~= plaintext then
      last = { scheme = scheme, secret = token, plaintext = plaintext }
    end
    return last
  end
  local function of_attempt(settings, patience)
    local plaintext = settings.insecure_auth
    if basic then
      return { scheme = "basic", id = basic.id, secret = basic.secret, plaintext = plaintext }
    elseif not token or token == "" then
      return { scheme = "none" }
    end
    if type(token) == "string" then
      return of_token(settings)
    end
    local secret, err = token_from(token, patience)
    if not secret then
      return nil, err
    end
    return { scheme = settings.auth or "bearer", secret = secret, plaintext = plaintext }
  end
  local function learned(settings, patience)
    local auth, err = of_attempt(settings, patience)
    if auth then
      secrets.learn_auth(auth)
    end
    return auth, err
  end
  fixed[learned] = type(token) ~= "function" or nil
  return learned
end

--- Whether the credentials are the same for each attempt.
---@param settings beam.settings
---@return boolean
function credentials.are_fixed(settings)
  return fixed[settings.credentials] == true
end

return credentials
