-- The options of beam.otlp, and the environment's variables for them, which OpenTelemetry gave their names.
local errors = require "beam.error"
local mistake = require "beam.base.mistake"
local percent = require "beam.base.percent"
local seconds = require "beam.settings.seconds"

local otlp_options = {}

local default_endpoint, default_path = "http://localhost:4318", "/v1/traces"

---@class beam.otlp_options
---@field endpoint string? the collector's address, default http://localhost:4318; /v1/traces is added, unless it has a path
---@field headers table<string, string>? further request headers, a key for instance
---@field service string? the name of this program
---@field resource table<string, string|number|boolean>? what else is said of it: { ["deployment.environment.name"] = "production" }
---@field queue integer? spans that may wait, default 2048; more are dropped
---@field batch integer? spans of one request, default 512
---@field every number? seconds that a span may wait for others, default 5
---@field timeout number? seconds for one request, default 10
---@field tls { ca_file: string?, cert: string?, key: string?, key_passphrase: string?, insecure: boolean? }?
---@field proxy string|false?
local types = {
  endpoint = { string = true },
  headers = { table = true },
  service = { string = true },
  resource = { table = true },
  queue = { number = true },
  batch = { number = true },
  every = { number = true },
  timeout = { number = true },
  tls = { table = true },
  proxy = { string = true, boolean = true },
}

local function check(options)
  errors.check_options(options, types, "beam.otlp")
  for name, value in pairs(options) do
    if not types[name][type(value)] then
      mistake(("beam.otlp: option '%s' cannot be a %s"):format(name, type(value)))
    end
  end
  seconds.check(options.every, "beam.otlp: option 'every'")
  seconds.check(options.timeout, "beam.otlp: option 'timeout'")
  for _, name in ipairs { "queue", "batch" } do
    local value = options[name]
    if value and not (value >= 1 and value % 1 == 0) then
      mistake(("beam.otlp: option '%s' wants a whole number of spans, at least 1"):format(name))
    end
  end
end

-- ---- The environment ----

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- "key=value,other=more", the values as in URLs.
local function pairs_of(text)
  local list = {}
  for name, value in (text or ""):gmatch "([^,=]+)=([^,]*)" do
    list[name:match "^%s*(.-)%s*$"] = percent.decode(value:match "^%s*(.-)%s*$")
  end
  return list
end

local function join(...)
  local all = {}
  for i = 1, select("#", ...) do
    for name, value in pairs((select(i, ...))) do
      all[name] = value
    end
  end
  return all
end

local function with_path(endpoint)
  local whole = endpoint:find "^[a-z]+://[^/]+/*$"
  return whole and endpoint:gsub("/+$", "") .. default_path or endpoint
end

local function url_of(options)
  local own = environment "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
  local base = environment "OTEL_EXPORTER_OTLP_ENDPOINT"
  local url = options.endpoint and with_path(options.endpoint) or own or base and base:gsub("/+$", "") .. default_path
  url = url or default_endpoint .. default_path
  if not url:find "^https?://[^/@]+/" then
    mistake(("beam.otlp: the endpoint is a URL like %s, not '%s'"):format(default_endpoint, url))
  end
  return url
end

local function headers_of(options)
  local general, own = environment "OTEL_EXPORTER_OTLP_HEADERS", environment "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
  return join(pairs_of(general), pairs_of(own), options.headers or {})
end

local function resource_of(options)
  local resource = join(
    { ["service.name"] = "unknown_service:lua" },
    pairs_of(environment "OTEL_RESOURCE_ATTRIBUTES"),
    { ["service.name"] = environment "OTEL_SERVICE_NAME" },
    options.resource or {},
    { ["service.name"] = options.service }
  )
  resource["telemetry.sdk.name"], resource["telemetry.sdk.language"] = "lua-beam", "lua"
  resource["telemetry.sdk.version"] = require("beam")._VERSION
  return resource
end

-- OpenTelemetry's variable is in milliseconds.
local function timeout_of(options)
  local milliseconds = tonumber(environment "OTEL_EXPORTER_OTLP_TIMEOUT")
  return options.timeout or milliseconds and milliseconds > 0 and milliseconds / 1000 or 10
end

--- Checks the options, and adds what they leave out. Raises for mistakes.
---@param options beam.otlp_options
---@return table
function otlp_options.read(options)
  check(options)
  return {
    url = url_of(options),
    headers = headers_of(options),
    resource = resource_of(options),
    queue = options.queue or 2048,
    batch = math.min(options.batch or 512, options.queue or 2048),
    every = options.every or 5,
    timeout = timeout_of(options),
    tls = options.tls,
    proxy = options.proxy,
  }
end

return otlp_options
