local beam = require "beam"

-- Runs a Lua program in a process of its own, with these variables set; returns what it prints.
local function run(variables, program)
  local lua = arg[-1] or "lua"
  local i = -1
  while arg[i - 1] do
    i = i - 1
    lua = arg[i]
  end
  local command = {}
  for name, value in pairs(variables) do
    command[#command + 1] = ("%s='%s'"):format(name, value)
  end
  local path = ("LUA_PATH='%s' LUA_CPATH='%s'"):format(package.path, package.cpath)
  local pipe = assert(io.popen(("env -u BEAM_TOKEN -u BEAM_GATEWAY_URL %s %s %s -e '%s' 2>&1"):format(path, table.concat(command, " "), lua, program)))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

describe("beam", function()
  it("is loaded without anything else", function()
    local program = [[
      local before = {}
      for name in pairs(package.loaded) do before[name] = true end
      require "beam"
      for name in pairs(package.loaded) do if not before[name] then print(name) end end
    ]]
    assert.are.equal("beam\n", run({}, program))
  end)

  it("leaves no globals", function()
    local program = [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local beam = require "beam"
      local _ = beam.null, beam.array, beam.client, beam.call, beam.realtime, beam.spawn, beam.address("a")
      require "beam.call"
      require "beam.realtime"
      for name in pairs(_G) do if not before[name] then print(name) end end
      print "end"
    ]]
    assert.are.equal("end\n", run({ HOME = "/nonexistent" }, program))
  end)

  it("has a default client from the environment", function()
    local program = [[print(require("beam").address("a", "endpoint"))]]
    assert.are.equal("http://127.0.0.1:1994/endpoint/a\n", run({ BEAM_GATEWAY_URL = "http://127.0.0.1:1994" }, program))
  end)

  it("says what is wrong with the environment", function()
    local program = [[print(require("beam").call("a"))]]
    assert.are.equal("nil\tconfig: the config file /no/such.ini cannot be read (check BEAM_CONFIG_PATH or the option config)\n",
      run({ BEAM_CONFIG_PATH = "/no/such.ini" }, program))
  end)

  it("has nothing that it has not", function()
    assert.is_nil(beam.no_such_thing)
  end)

  it("is the version of its core", function()
    assert.are.equal(require("beam.core").version, beam._VERSION)
  end)
end)

describe("client", function()
  it("has the functions of beam, with and without a colon", function()
    local client = beam.client { gateway = "http://h", token = false }
    assert.are.equal(client:address "a", "http://h/endpoint/a")
    assert.are.equal("function", type(client.call))
    assert.are.equal(client.call, client.call)
    assert.are.equal("beam.client of http://h", tostring(client))
    assert.is_nil(client.no_such_thing)
  end)

  it("shows no secret, however deep one looks", function()
    local seen = {}
    local function look(value)
      if type(value) == "table" and not seen[value] then
        seen[value] = true
        for key, item in pairs(value) do
          look(key)
          look(item)
        end
      end
      assert.are_not.equal("very-secret", value)
    end
    look(beam.client { token = "very-secret" })
    look(beam.client { basic = { id = "id", secret = "very-secret" } })
  end)

  it("raises for unknown options", function()
    local ok, err = pcall(beam.client, { tokn = "x" })
    assert.is_false(ok)
    assert.is_truthy(err:find("beam.client: unknown option 'tokn'; did you mean 'token'?", 1, true))
  end)

  it("raises at the caller's line for options that are no table, as for a time-out in their place", function()
    local client = beam.client { token = false }
    local deployment = client.deployment "name"
    for where, call in pairs {
      ["beam.client"] = function()
        beam.client "token"
      end,
      ["beam.call"] = function()
        client.call("name", {}, 30)
      end,
      ["beam.realtime"] = function()
        client.realtime("name", 30)
      end,
      ["beam.pool"] = function()
        client.pool("name", 4)
      end,
      ["deployment"] = function()
        deployment:call({}, 30)
      end,
      ["deployment:logs"] = function()
        deployment:logs(30)
      end,
    } do
      local ok, err = pcall(call)
      assert.is_false(ok)
      assert.are.equal(where .. ": the options are a table, { name = value }", err:match "client_spec.lua:%d+: (.*), not a %l+$")
    end
  end)

  it("takes the log of the process", function()
    local lines = {}
    beam.client { token = false, log = function(level, line)
      lines[#lines + 1] = level .. " " .. line
    end }
    require("beam.log").write("info", "x")
    require("beam.log").to(nil)
    assert.are.same({ "info x" }, lines)
  end)
end)
