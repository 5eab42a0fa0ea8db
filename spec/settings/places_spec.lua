local config = require "beam.settings.config"

local function resolve(options, variables)
  return config.resolve(options, {
    getenv = function(name)
      return (variables or {})[name]
    end,
    read = function() end,
  })
end

-- Version and address of the REST API, and where each comes from.
local function api(options, variables)
  local settings = assert(resolve(options, variables))
  return { settings.api_version, settings.api, settings.sources.api_version, settings.sources.api }
end

local function problem(options, variables)
  local settings, err = resolve(options, variables)
  assert.is_nil(settings)
  return { err.kind, err.message }
end

describe("places", function()
  it("are Beam's own by default: v1 at the gateway", function()
    assert.are.same({ "v1", "https://app.beam.cloud", "default", "default" }, api {})
    assert.are.same({ "v1", "http://127.0.0.1:1994", "default", "default" }, api { gateway = "http://127.0.0.1:1994/" })
    assert.are.same({ "v1", "http://h:1", "default", "default" }, api({}, { BEAM_GATEWAY_URL = "http://h:1" }))
  end)

  it("are the public API for older keys", function()
    local basic = { id = "i", secret = "s" }
    assert.are.same({ "v2", "https://api.beam.cloud", "default", "default" }, api { basic = basic })
    assert.are.same({ "v2", "http://h", "default", "default" }, api { basic = basic, gateway = "http://h" })
    assert.are.same({ "v2", "https://api.beam.cloud", "default", "default" }, api({}, { BEAM_CLIENT_ID = "i", BEAM_CLIENT_SECRET = "s" }))
    assert.are.same({ "v1", "https://app.beam.cloud", "argument", "default" }, api { basic = basic, api_version = "v1" })
  end)

  it("are what they are told", function()
    assert.are.same({ "v2", "https://api.beam.cloud", "default", "argument" }, api { api = "https://api.beam.cloud/" })
    assert.are.same({ "v1", "https://api.example/x", "default", "argument" }, api { api = "https://api.example/x" })
    assert.are.same({ "v2", "https://api.beam.cloud", "argument", "default" }, api { api_version = "v2" })
    assert.are.same({ "v2", "http://h", "environment BEAM_API_VERSION", "environment BEAM_API_URL" },
      api({}, { BEAM_API_VERSION = "v2", BEAM_API_URL = "http://h/" }))
    assert.are.same({ "v1", "http://mine", "argument", "argument" },
      api({ api_version = "v1", api = "http://mine" }, { BEAM_API_VERSION = "v2", BEAM_API_URL = "http://h/" }))
  end)

  it("are an error of kind config where the environment is wrong", function()
    assert.are.same({ "config", "the api_version of the environment BEAM_API_VERSION is neither v1 nor v2: v3" },
      problem({}, { BEAM_API_VERSION = "v3" }))
    assert.are.same({ "config", "the api of the environment BEAM_API_URL is no http:// or https:// URL: ftp://…@h" },
      problem({}, { BEAM_API_URL = "ftp://user:secret@h" }))
    assert.are.same({ "config", "the gateway of the argument is no http:// or https:// URL: beam" }, problem { gateway = "beam" })
  end)

  it("raise for a version that is none", function()
    local ok, message = pcall(resolve, { api_version = "v3" })
    assert.is_false(ok)
    assert.is_truthy(message:find("beam.client: api_version is 'v1' or 'v2'", 1, true))
  end)
end)
