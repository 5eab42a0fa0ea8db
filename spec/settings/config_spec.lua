local config = require "beam.settings.config"

-- A system with these variables and files.
local function system(variables, files)
  variables.HOME = variables.HOME or "/home/u"
  return {
    getenv = function(name)
      return variables[name]
    end,
    read = function(path)
      return (files or {})[path]
    end,
  }
end

local function resolve(options, variables, files)
  return config.resolve(options, system(variables or {}, files))
end

local function auth(...)
  local settings = assert(resolve(...))
  return settings:credentials()
end

local file = "[default]\ntoken = from-file\ngateway_host = grpc.example\n[other]\ntoken = other-token\n"

describe("config", function()
  describe("who we are", function()
    it("is the argument, else the environment, else the file", function()
      local files = { ["/home/u/.beam/config.ini"] = file }
      local variables = { BEAM_TOKEN = "from-env", BETA9_TOKEN = "older" }
      assert.are.same({ scheme = "bearer", secret = "from-argument" }, auth({ token = "from-argument" }, variables, files))
      assert.are.same({ scheme = "bearer", secret = "from-env" }, auth({}, variables, files))
      assert.are.same({ scheme = "bearer", secret = "older" }, auth({}, { BETA9_TOKEN = "older" }, files))
      assert.are.same({ scheme = "bearer", secret = "from-file" }, auth({}, {}, files))
      assert.are.same({ scheme = "none" }, auth({}, {}, {}))
    end)

    it("is remembered with its source, and shows no secret", function()
      local files = { ["/home/u/.beam/config.ini"] = file }
      local function source(...)
        return resolve(...).sources.token
      end
      assert.are.equal("argument", source({ token = "t" }))
      assert.are.equal("environment BEAM_TOKEN", source({}, { BEAM_TOKEN = "t" }))
      assert.are.equal("file /home/u/.beam/config.ini [default]", source({}, {}, files))
      local settings = resolve({ token = "very-secret" })
      for _, value in pairs(settings) do
        assert.are_not.equal("very-secret", value)
      end
    end)

    it("may be Basic", function()
      local basic = { scheme = "basic", id = "i", secret = "s" }
      assert.are.same(basic, auth({ basic = { id = "i", secret = "s" } }, { BEAM_TOKEN = "t" }))
      assert.are.same(basic, auth({}, { BEAM_CLIENT_ID = "i", BEAM_CLIENT_SECRET = "s" }))
      assert.are.same({ scheme = "bearer", secret = "t" }, auth({}, { BEAM_TOKEN = "t", BEAM_CLIENT_ID = "i", BEAM_CLIENT_SECRET = "s" }))
    end)

    it("may be nobody, on purpose", function()
      assert.are.same({ scheme = "none" }, auth({ token = false }, { BEAM_TOKEN = "t" }))
    end)

    it("is asked for before every attempt, if it is a function", function()
      local count = 0
      local settings = resolve { token = function()
        count = count + 1
        return "token-" .. count
      end }
      assert.are.same({ scheme = "bearer", secret = "token-1" }, settings:credentials())
      assert.are.same({ scheme = "bearer", secret = "token-2" }, settings:credentials())
    end)

    it("is an error if the function gives none", function()
      local settings = resolve { token = function()
        return nil, "the vault is shut"
      end }
      local none, err = settings:credentials()
      assert.is_nil(none)
      assert.are.same({ "auth", "the token function gave no token: the vault is shut", "no", false },
        { err.kind, err.message, err.executed, err.retryable })
    end)

    it("is sent as the options say", function()
      assert.are.same({ scheme = "raw", secret = "t" }, auth { token = "t", auth = "raw" })
      assert.are.same({ scheme = "query", secret = "t", plaintext = true }, auth { token = "t", auth = "query", insecure_auth = true })
    end)
  end)

  describe("the file", function()
    it("is ~/.beam/config.ini, else ~/.beta9/config.ini", function()
      assert.are.equal("beta9", auth({}, {}, { ["/home/u/.beta9/config.ini"] = "[default]\ntoken=beta9\n" }).secret)
      local both = { ["/home/u/.beta9/config.ini"] = "[default]\ntoken=beta9\n", ["/home/u/.beam/config.ini"] = file }
      assert.are.equal("from-file", auth({}, {}, both).secret)
    end)

    it("may be named, and its context too", function()
      local files = { ["/etc/beam.ini"] = file, ["/home/u/x.ini"] = file }
      assert.are.equal("from-file", auth({}, { BEAM_CONFIG_PATH = "/etc/beam.ini" }, files).secret)
      assert.are.equal("other-token", auth({ context = "other" }, { BEAM_CONFIG_PATH = "~/x.ini" }, files).secret)
      assert.are.equal("other-token", auth({ config = "/etc/beam.ini" }, { BEAM_CONFIG_CONTEXT = "other" }, files).secret)
    end)

    it("goes before the environment where it is asked for by argument", function()
      local files = { ["/home/u/.beam/config.ini"] = file, ["/etc/beam.ini"] = file, ["/etc/none.ini"] = "[staging]\nx = y\n" }
      local variables = { BEAM_TOKEN = "production", BEAM_CLIENT_ID = "id", BEAM_CLIENT_SECRET = "secret" }
      local settings = resolve({ context = "other" }, variables, files)
      assert.are.same({ scheme = "bearer", secret = "other-token" }, settings:credentials())
      assert.are.equal("file /home/u/.beam/config.ini [other]", settings.sources.token)
      assert.are.equal("from-file", auth({ config = "/etc/beam.ini" }, variables, files).secret)
      assert.are.equal("from-argument", auth({ context = "other", token = "from-argument" }, variables, files).secret)
      assert.are.equal("production", auth({}, { BEAM_TOKEN = "production", BEAM_CONFIG_CONTEXT = "other" }, files).secret)
      local none, err = resolve({ config = "/etc/none.ini", context = "staging" }, variables, files)
      assert.is_nil(none)
      assert.are.same({ "config", "/etc/none.ini [staging] has no token" }, { err.kind, err.message })
      none, err = resolve({ context = "other" }, variables, {})
      assert.is_nil(none)
      assert.are.same({ "config", "there is no config file that could have the context other" }, { err.kind, err.message })
    end)

    it("has a context that was chosen, where nothing else says which", function()
      local chosen = { ["/home/u/.beam/config.ini"] = file, ["/home/u/.beam/beam-lua-context"] = "other\n" }
      assert.are.equal("other-token", auth({}, {}, chosen).secret)
      assert.are.equal("from-file", auth({}, { BEAM_CONFIG_CONTEXT = "default" }, chosen).secret)
      assert.are.equal("from-file", auth({ context = "default" }, {}, chosen).secret)
      assert.are.equal("from-env", auth({}, { BEAM_TOKEN = "from-env" }, chosen).secret)
      chosen["/home/u/.beam/beam-lua-context"] = "gone\n"
      local none, err = resolve({}, {}, chosen)
      assert.is_nil(none)
      assert.are.equal("/home/u/.beam/config.ini has no context 'gone'", err.message)
    end)

    it("is not taken for the HTTP gateway", function()
      local settings = resolve({}, {}, { ["/home/u/.beam/config.ini"] = file })
      assert.are.same({ "https://app.beam.cloud", "default" }, { settings.gateway, settings.sources.gateway })
    end)

    local function failure(...)
      local settings, err = resolve(...)
      assert.is_nil(settings)
      return { err.kind, err.message, err.hint }
    end

    it("has to be there if it was asked for", function()
      assert.are.same({ "config", "the config file /no/such.ini cannot be read", "check BEAM_CONFIG_PATH or the option config" },
        failure({}, { BEAM_CONFIG_PATH = "/no/such.ini" }))
    end)

    it("has to have the context", function()
      assert.are.same({ "config", "/home/u/.beam/config.ini has no context 'third'", "it has: default, other" },
        failure({ context = "third" }, {}, { ["/home/u/.beam/config.ini"] = file }))
    end)

    it("has to be readable", function()
      assert.are.same({ "config", "/home/u/.beam/config.ini: line 1 is neither a [section] nor a key = value in a section",
        "mend the file, or log in again with Beam's command line tool" }, failure({}, {}, { ["/home/u/.beam/config.ini"] = "{}" }))
    end)

    it("is not looked for without a home", function()
      local settings = config.resolve({}, { getenv = function() end, read = error })
      assert.are.same({ scheme = "none" }, settings:credentials())
    end)
  end)

  it("half a pair of Basic credentials is an error", function()
    local settings, err = resolve({}, { BEAM_CLIENT_ID = "i" })
    assert.is_nil(settings)
    assert.are.same({ "config", "one of BEAM_CLIENT_ID and BEAM_CLIENT_SECRET is set without the other", "set both, or BEAM_TOKEN" },
      { err.kind, err.message, err.hint })
  end)

  it("takes variables that are empty for such as are not set", function()
    local empty = { BEAM_TOKEN = "", BETA9_TOKEN = "", BEAM_CLIENT_ID = "", BEAM_CLIENT_SECRET = "", BEAM_CONFIG_PATH = "", API_PORT = "" }
    empty.BEAM_CONFIG_CONTEXT, empty.BEAM_GATEWAY_URL, empty.API_HOST = "", "", "h"
    local settings = assert(resolve({}, empty, { ["/home/u/.beam/config.ini"] = file }))
    assert.are.same({ "file /home/u/.beam/config.ini [default]", "https://h" }, { settings.sources.token, settings.gateway })
  end)

  it("finds the gateway", function()
    local function gateway(...)
      local settings = assert(resolve(...))
      return { settings.gateway, settings.sources.gateway }
    end
    local variables = { BEAM_GATEWAY_URL = "http://localhost:1994/", API_HOST = "h" }
    assert.are.same({ "https://a", "argument" }, gateway({ gateway = "https://a//" }, variables))
    assert.are.same({ "http://localhost:1994", "environment BEAM_GATEWAY_URL" }, gateway({}, variables))
    assert.are.same({ "https://h", "environment API_HOST" }, gateway({}, { API_HOST = "h" }))
    assert.are.same({ "http://h:1994", "environment API_HOST" }, gateway({}, { API_HOST = "h", API_PORT = "1994" }))
    local settings, err = resolve({}, { BEAM_GATEWAY_URL = "ftp://id:password@host" })
    assert.is_nil(settings)
    assert.are.same({ "config", "the gateway of the environment BEAM_GATEWAY_URL is no http:// or https:// URL: ftp://…@host" },
      { err.kind, err.message })
  end)

  it("has defaults longer than Beam's own deadlines", function()
    local settings = resolve {}
    assert.are.same({ 1560, 10, 960 }, { settings.timeout, settings.connect_timeout, settings.ready_timeout })
    assert.are.equal("default", settings.sources.timeout)
  end)

  it("raises for mistakes", function()
    for message, options in pairs {
      ["beam.client: option 'timeout' wants a number of seconds above 0, not a string"] = { timeout = "5" },
      ["beam.client: option 'token' cannot be a boolean"] = { token = true },
      ["beam.client: option 'timeout' wants a number of seconds above 0"] = { timeout = 0 },
      ["beam.client: token or basic, not both"] = { token = "t", basic = { id = "i", secret = "s" } },
      ["beam.client: auth is 'bearer', 'raw' or 'query'"] = { auth = "digest" },
      ["beam.client: basic wants {id = , secret = }, two strings, the id without a colon"] = { basic = { id = "a:b", secret = "s" } },
      ["beam.client, tls: option 'insecure' wants a boolean, not a string"] = { tls = { insecure = "false" } },
      ["beam.client, tls: unknown option 'cafile'; did you mean 'ca_file'?"] = { tls = { cafile = "x" } },
    } do
      local ok, err = pcall(resolve, options)
      assert.is_false(ok)
      assert.is_truthy(err:find(message, 1, true), err)
    end
  end)

  it("is changed for one call, and stays as it was", function()
    local settings = resolve { token = "t", timeout = 5 }
    local changed = config.override(settings, { timeout = 7, auth = "raw" })
    assert.are.same({ 7, 10 }, { changed.timeout, changed.connect_timeout })
    assert.are.same({ scheme = "raw", secret = "t" }, changed:credentials())
    assert.are.same({ scheme = "none" }, config.override(settings, { token = false }):credentials())
    assert.are.same({ 5, "t" }, { settings.timeout, settings:credentials().secret })
  end)
end)
