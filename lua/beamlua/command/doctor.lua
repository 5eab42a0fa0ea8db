-- beamlua doctor: versions, certificates, configuration, network by phase, token. Each problem with its remedy; no secret is shown.
local api = require "beam.rest.api"
local core = require("beam.base.native").core()
local driver = require "beam.driver"
local errors = require "beam.error"
local failure = require "beamlua.cli.failure"
local options_of = require "beam.settings.options"
local output = require "beamlua.cli.output"
local secrets = require "beam.settings.secrets"
local terminal = require "beamlua.cli.terminal"

local patience = 10 -- seconds for each question

-- ---- The report ----

local Report = {}
Report.__index = Report

local function new_report()
  return setmetatable({ paint = terminal.painter(1) }, Report)
end

function Report:well(what)
  output.line(self.paint("green", "ok     ") .. secrets.hide(what))
end

function Report:detail(name, value, source)
  local where = source and self.paint("grey", ("  (%s)"):format(source)) or ""
  output.line(("         %-16s %s%s"):format(name, secrets.hide(value), where))
end

--- The exit code is that of the first one.
function Report:problem(what, err)
  self.code = self.code or failure.code(err)
  output.line(("%s%s: %s"):format(self.paint("red", "problem "), what, secrets.hide(err.message)))
  if err.hint then
    output.line("         -> " .. err.hint)
  end
end

-- ---- Versions, certificates ----

local function versions(report, host)
  report:well(("beamlua %s, %s, libbeam %s"):format(host.version, _VERSION, core.version))
  report:detail("libraries", core.libraries())
  local found, cjson = pcall(require, "cjson")
  report:detail("lua-cjson", found and (cjson._VERSION or "of unknown version") or "none: a codec to choose, beam does without")
end

local function certificates(report, settings)
  local given = settings.tls and settings.tls.ca_file
  local path = given or core.ca_bundle()
  local file = path and io.open(path, "rb")
  local count = 0
  if file then
    count = select(2, (file:read "*a" or ""):gsub("%-%-%-%-%-BEGIN [A-Z ]*CERTIFICATE%-%-%-%-%-", ""))
    file:close()
  end
  local chosen = os.getenv "SSL_CERT_FILE"
  if chosen and chosen ~= "" and not given and chosen ~= path then
    local message = ("SSL_CERT_FILE names %s, which cannot be read, and is passed over"):format(chosen)
    report:problem("certificates", errors.new { kind = "tls", message = message, hint = "name a file that can be read, or unset it" })
  end
  if count > 0 then
    report:well(("certificates: %d in %s"):format(count, path))
    return
  end
  local message = "the system has no file of trusted certificates"
  if path then
    message = path .. (file and " has no certificates in it" or " cannot be read")
  end
  local hint = "install the package ca-certificates, or name a file with --ca-file or SSL_CERT_FILE"
  report:problem("certificates", errors.new { kind = "tls", message = message, hint = hint })
end

-- ---- Configuration ----

local shown = { "gateway", "api", "api_version", "workspace", "timeout", "connect_timeout", "ready_timeout" }
local proxies = { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" }

local function without_user(url)
  return (url:gsub("//[^/@]*@", "//…@"))
end

local function configuration(report, settings)
  local sources = settings.sources
  report:well "configuration"
  for _, name in ipairs(shown) do
    local value = settings[name]
    if value ~= nil then
      report:detail(name, without_user(tostring(value)), sources[name])
    end
  end
  local from = sources.passed_over and ("%s; %s is not for a local Beam"):format(sources.token, sources.passed_over) or sources.token
  report:detail("token", sources.token and sources.token ~= "nowhere" and "set, not shown" or "none", from)
  if sources.basic then
    report:detail("basic", "set, not shown", sources.basic)
  end
  for _, name in ipairs(proxies) do
    local value = os.getenv(name)
    if value and value ~= "" then
      report:detail("proxy", without_user(value), "environment " .. name)
    end
  end
end

-- ---- Network ----

-- Asks the gateway for a WebSocket where there is none: what it says does not matter, how far it comes does.
local function attempt(settings, timeout)
  local request = options_of.transport(settings)
  request.url = settings.gateway:gsub("^http", "ws") .. "/"
  request.connect_timeout, request.upgrade_timeout = timeout, timeout
  local ended, phases, result = driver.signal(), {}, nil
  local function enter(name)
    phases[#phases + 1] = { name, driver.now() }
  end
  local ws, refused = driver.context():websocket(request, function(event, a, _, err, response)
    if event == "phase" then
      enter(a)
    elseif event == "open" then
      result = { response = { status = a } }
    elseif event == "closed" then
      driver.detach()
      enter "end"
      result = result or { err = err, response = response }
    end
    if result then
      ended:wake()
    end
  end)
  if not ws then
    return { err = refused, phases = phases }
  end
  driver.attach()
  while not result do
    ended:wait()
  end
  ws:close(1000)
  result.phases = phases
  return result
end

local function times(phases)
  local parts = {}
  for i, phase in ipairs(phases) do
    local following = phases[i + 1]
    local name = phase[1] == "upgrade" and "http" or phase[1]
    if following and name ~= "none" and name ~= "closed" then
      parts[#parts + 1] = ("%s %.1f ms"):format(name, (following[2] - phase[2]) * 1000)
    end
  end
  return table.concat(parts, ", ")
end

-- Returns whether the gateway answers.
local function network(report, settings, timeout)
  local result = attempt(settings, timeout)
  local status = result.response and result.response.status
  if status and status < 500 then
    report:well(("network: %s answers (%s)"):format(without_user(settings.gateway), times(result.phases)))
    return true
  end
  local err = result.err and errors.from_core(result.err) or errors.new { kind = "closed", message = "the connection was lost" }
  err.hint = err.hint or require("beamlua.cli.meanings").kinds[err.kind][2]
  if err.hint == "" then
    err.hint = "is " .. without_user(settings.gateway) .. " the right gateway, and does it run?"
  end
  report:problem("network, " .. err.phase, err)
  return false
end

-- ---- Token ----

local function token(report, settings, timeout)
  if settings.api_version ~= "v1" then
    report:well "token: not checked, as the public API (v2) has no question for it"
    return
  end
  local answer, err = api.request(settings, "GET", "/api/v1/workspace/current", { timeout = timeout, retry = false })
  if not answer then
    report:problem("token", err)
    return
  end
  local name = type(answer) == "table" and (answer.name or answer.external_id or answer.id)
  report:well("token: accepted, workspace " .. tostring(name or "unknown"))
end

return function(context)
  local report = new_report()
  local timeout = context.options.timeout or patience
  versions(report, context.host)
  local client, err = context.client()
  if not client then
    report:problem("configuration", err)
    return report.code
  end
  local settings = client.settings
  certificates(report, settings)
  configuration(report, settings)
  if network(report, settings, timeout) then
    token(report, settings, timeout)
  end
  output.line(report.code and "not well: see above" or "all is well")
  return report.code or 0
end
