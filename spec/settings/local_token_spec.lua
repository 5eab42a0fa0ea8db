-- The token that a local Beam makes for itself, and who finds it.
local beam = require "beam"
local core = require "beam.core"
local http = require "served_http"
local log = require "beam.log"
local local_token = require "beam.settings.local_token"
local serve = require "beam.serve"

local function system(variables, files)
  return {
    getenv = function(name)
      return variables[name]
    end,
    read = function(path)
      return files[path]
    end,
  }
end

local function file_of(token, process)
  return ("%s\n%d\n"):format(token, process or core.process())
end

local function mode_of(path)
  local pipe = assert(io.popen(("stat -c %%a '%s'"):format(path)))
  local mode = pipe:read "*l"
  pipe:close()
  return mode
end

describe("the token of a local Beam", function()
  describe("is found", function()
    local variables = { HOME = "/home/u", XDG_RUNTIME_DIR = "/run/u" }

    it("by the port, for loopback's names, in XDG_RUNTIME_DIR and then in ~/.beam", function()
      local files = { ["/run/u/beam-serve-1994"] = file_of "first", ["/home/u/.beam/serve-1994"] = file_of "second" }
      local sys = system(variables, files)
      for _, gateway in ipairs { "http://127.0.0.1:1994", "http://localhost:1994", "http://[::1]:1994", "https://app.localhost:1994/" } do
        assert.same({ "first", "/run/u/beam-serve-1994" }, { local_token.find(sys, gateway) })
      end
      files["/run/u/beam-serve-1994"] = nil
      assert.same({ "second", "/home/u/.beam/serve-1994" }, { local_token.find(sys, "http://127.0.0.1:1994") })
      assert.is_nil(local_token.find(sys, "http://127.0.0.1:1995"))
      assert.is_nil(local_token.find(system({}, files), "http://127.0.0.1:1994"))
    end)

    it("for nobody else: other hosts, other schemes, names that only begin alike", function()
      local sys = system(variables, { ["/run/u/beam-serve-1994"] = file_of "t", ["/run/u/beam-serve-80"] = file_of "t" })
      for _, gateway in ipairs {
        "https://app.beam.cloud",
        "http://192.168.1.7:1994",
        "ftp://127.0.0.1:1994",
        "http://127.0.0.1.evil.example:1994",
        "http://localhost.evil.example:1994",
        "http://evil-localhost:1994",
        "http://localhost@evil.example:1994",
        "http://localhost:99999999999999999999",
      } do
        assert.is_nil(local_token.find(sys, gateway), gateway)
      end
      assert.equal("t", (local_token.find(sys, "http://localhost")))
    end)

    it("not where its process has ended, nor where the file is none", function()
      local pipe = io.popen "sh -c 'echo $$'"
      local dead = tonumber(pipe:read "*l")
      pipe:close()
      for _, text in ipairs { file_of("t", dead), "", "t", "t\n", "\n1\n", "a b\n1\n", ("t\n%d"):format(core.process()) } do
        assert.is_nil(local_token.find(system(variables, { ["/run/u/beam-serve-1994"] = text }), "http://127.0.0.1:1994"))
      end
    end)
  end)

  it("goes before the environment's, not before what is asked for", function()
    local config = require "beam.settings.config"
    local variables = { HOME = "/home/u", BEAM_TOKEN = "from-env", BEAM_GATEWAY_URL = "http://127.0.0.1:1994" }
    local files = {
      ["/home/u/.beam/serve-1994"] = file_of "own",
      ["/home/u/.beam/config.ini"] = "[default]\ntoken = from-file\n[staging]\ntoken = from-staging\n",
    }
    local function secret(options)
      local settings = assert(config.resolve(options, system(variables, files)))
      return settings:credentials().secret, settings.sources.token
    end
    local lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    local of_local = { secret {} }
    log.to(nil)
    assert.same({ "own", "file /home/u/.beam/serve-1994" }, of_local)
    local told = "info: the token of the local Beam at http://127.0.0.1:1994 is used, in place of BEAM_TOKEN (/home/u/.beam/serve-1994)"
    assert.same({ told }, lines)
    assert.equal("argument", select(2, secret { token = "given" }))
    assert.equal("from-env", (secret { gateway = "https://app.beam.cloud" }))
    variables.BEAM_TOKEN = nil
    assert.equal("from-staging", (secret { context = "staging" }))
    variables.BEAM_CONFIG_PATH = "/home/u/.beam/config.ini"
    assert.equal("from-file", (secret {}))
  end)

  it("is made, kept in a file of the user's alone, demanded, found, and forgotten", function()
    local app = serve.new()
    app.endpoint("hi", function()
      return { hi = true }
    end)
    local server = assert(app.listen { token = true, log = function() end })
    local ask = http.asker(server)
    assert.matches("^local%-" .. ("%x"):rep(48) .. "$", server.token)
    assert.equal("600", mode_of(server.token_path))
    assert.equal(401, (ask("POST", "/endpoint/hi")))
    assert.equal(200, (ask("POST", "/endpoint/hi", { auth = { scheme = "bearer", secret = server.token } })))
    local result, err = beam.client({ gateway = server.url }).call("hi", {})
    assert.same({ hi = true }, result, tostring(err))
    local other = assert(app.listen { token = true, log = function() end })
    assert.are_not.equal(server.token, other.token)
    local path = server.token_path
    app.close()
    assert.is_nil(io.open(path))
  end)

  it("takes the place of what stands there: a file that others can read, a link", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(core.private_folder(folder))
    assert.is_true(core.private_folder(folder))
    assert.equal("700", mode_of(folder))
    local path, victim = folder .. "/file", folder .. "/victim"
    assert(io.open(victim, "w")):close()
    os.execute(("ln -s '%s' '%s'"):format(victim, path))
    assert.is_true(core.write_private(path, "secret"))
    assert.equal("", io.open(victim):read "*a")
    assert.same({ "600", "secret" }, { mode_of(path), io.open(path):read "*a" })
    local ok, message = core.write_private(folder .. "/none/file", "x")
    assert.is_nil(ok)
    assert.matches("it cannot be made", message)
    os.execute(("rm -r '%s'"):format(folder))
    assert.has_error(function()
      serve.new().listen { token = 7 }
    end, "app:listen: token wants a text, or true for one of its own")
  end)

  it("random bytes differ, and processes are told apart from numbers", function()
    assert.equal(32, #core.random(32))
    assert.are_not.equal(core.random(32), core.random(32))
    assert.has_error(function()
      core.random(0)
    end)
    assert.is_true(core.process_lives(core.process()))
    assert.is_false(core.process_lives(0))
  end)
end)
