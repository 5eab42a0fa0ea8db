-- The hook `connect`: what a script may say about the next attempt, and where the host's token goes.
--
-- The token belongs to the host. A script that names an address of its own elsewhere brings its own token, or none is sent: otherwise any
-- script could have it.
local address = require "beam.settings.target"
local ascii = require "beam.base.ascii"
local errors = require "beam.error"
local dial = require "beam.realtime.dial"

local connect_hook = {}

local beam_authority = "app.beam.cloud"

-- The rest (tls, proxy, insecure_auth, …) is the host's to say.
local allowed = { [1] = true, token = true, basic = true, headers = true }
for _, names in ipairs { address.fields, { connect_timeout = true, ready_timeout = true, max_message = true, close_timeout = true } } do
  for name in pairs(names) do
    allowed[name] = true
  end
end

local function names_target(answer)
  if answer[1] ~= nil then
    return true
  end
  for field in pairs(address.fields) do
    if answer[field] ~= nil then
      return true
    end
  end
end

-- What it names by a URL, if it does; a target may be a table in the table (beam.settings.target).
local function url_of(options)
  local first = options[1]
  if type(first) == "table" then
    return url_of(first)
  end
  return options.url or type(first) == "string" and first:find "://" and first
end

local function authority(url)
  return ascii.lower(url:match "^[A-Za-z][0-9A-Za-z+.-]*://([^/?#]*)" or "")
end

local function is_ours(url, options, gateway)
  local there, home = authority(url), authority(gateway)
  local configured = url_of(options)
  return there == home
    or home == beam_authority and there:sub(-#beam_authority - 1) == "." .. beam_authority
    or configured and there == authority(configured)
end

-- The answer as a table, without the token for a stranger.
local function read(answer, options, gateway)
  if type(answer) == "string" then
    answer = { answer }
  elseif type(answer) ~= "table" then
    error(("it returned a %s, and not a target or a table of options"):format(type(answer)), 0)
  end
  errors.check_options(answer, allowed, "what connect returned")
  local url = url_of(answer)
  if type(url) == "string" and not answer.token and not answer.basic and not is_ours(url, options, gateway) then
    answer.public = true
  end
  return answer
end

-- Raises what beam.realtime would raise of such an answer.
local function try(answer, options, settings)
  local given = {}
  for name, value in pairs(options) do
    given[name] = value
  end
  function given.connect()
    return answer
  end
  dial.new(given, settings):ask(1)
end

local no_target = "no target: the host was given none, and the hook connect named none"

--- A `connect` policy for beam.realtime that asks the script.
---@param hooks host.hooks
---@param options beam.realtime_options with the target, if the host has one
---@param settings beam.settings
---@param has_target boolean
---@return fun(attempt: integer): table?, any
function connect_hook.new(hooks, options, settings, has_target)
  local function without_answer()
    if has_target then
      return nil
    end
    return nil, errors.new { kind = "connect", message = no_target, phase = "none", retryable = true }
  end
  local function check(answer)
    answer = read(answer, options, settings.gateway)
    if not has_target and not names_target(answer) then
      error(no_target, 0)
    end
    try(answer, options, settings)
    return answer
  end
  return function(attempt)
    local ok, answer, why = hooks:call("connect", attempt)
    if not ok or answer == nil and why == nil then
      return without_answer()
    elseif answer == nil then
      return nil, tostring(why)
    end
    local valid, checked = pcall(check, answer)
    if not valid then
      local problem = tostring(checked):gsub("^[0-9A-Za-z_/]+%.lua:%d+: ", "") -- a line of ours
      hooks:fail { kind = "script", hook = "connect", message = "hook 'connect': " .. problem }
      return without_answer()
    end
    return checked
  end
end

return connect_hook
