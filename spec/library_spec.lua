-- docs/library/*.lua: what an editor is told of the module, held against the module as it is loaded and against live objects.
package.path = "docs/?.lua;" .. package.path
local beam = require "beam"
local library = require "reference.library"
local model = require "reference.model"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function sorted(names)
  table.sort(names)
  return names
end

-- The names of a function's parameters, without those that the reference leaves out; nil on Lua 5.1, which does not tell.
local function params_of(fn, left_out)
  local names, index = {}, 1
  while pcall(debug.getlocal, fn, 1) and debug.getlocal(fn, index) do
    names[index] = debug.getlocal(fn, index)
    index = index + 1
  end
  if left_out[names[1]] then
    table.remove(names, 1)
  end
  return _VERSION == "Lua 5.1" and not rawget(_G, "jit") and {} or names
end

local function documented_params(described)
  local names = {}
  for _, name in ipairs(_VERSION == "Lua 5.1" and not rawget(_G, "jit") and {} or described.params) do
    names[#names + 1] = name ~= "..." and name or nil
  end
  return names
end

describe("the library for editors", function()
  local topics = model.read().topics

  local function each(key, visit)
    for _, topic in ipairs(topics) do
      for _, item in ipairs(topic[key]) do
        visit(item)
      end
    end
  end

  it("is what the comments in lua/beam make of it (else: make library)", function()
    local texts, problems = library.files()
    assert.same({}, problems)
    for name, text in pairs(texts) do
      assert(text == read("docs/library/" .. name), "docs/library/" .. name .. " is not up to date: make library")
    end
  end)

  it("has every function of the module, and no other", function()
    local described, real = { "null" }, {}
    each("functions", function(item)
      described[#described + 1] = item.name
    end)
    each("modules", function(item)
      described[#described + 1] = item.name
    end)
    for _, names in ipairs(getmetatable(beam).names) do
      for name in pairs(names) do
        real[#real + 1] = name
      end
    end
    assert.same(sorted(real), sorted(described))
  end)

  it("has the parameters of the functions", function()
    local own, of_client = beam and getmetatable(beam).names[1], require("beam.client").functions
    each("functions", function(item)
      local where = own[item.name] or of_client[item.name]
      if where and item.name ~= "setup" then -- beam.setup is OpenResty's
        local fn = require(where[1])[where[2]]
        if item.name ~= "submit" then
          assert.same(documented_params(item), params_of(fn, { settings = true }), item.name)
        end
      end
    end)
    for _, key in ipairs { "modules", "separate" } do
      each(key, function(module)
        for _, item in ipairs(module.functions) do
          local fn = (key == "modules" and beam[module.name] or require(module.name))[item.name]
          assert.equal("function", type(fn), module.name .. "." .. item.name)
          if key == "modules" then
            assert.same(documented_params(item), params_of(fn, {}), item.name)
          end
        end
      end)
    end
  end)

  it("has every method that the pages name", function()
    local classes = { conn = "connection", pool = "pool", map = "map", stream = "stream", task = "task", events = "task_events" }
    classes.deployment, classes.list, classes.server = "deployment", "pages", "serve.server"
    local methods, named = {}, 0
    each("objects", function(class)
      for _, method in ipairs(class.methods) do
        methods[class.name .. ":" .. method.name] = true
      end
    end)
    methods["beam.task:join"] = true -- docs/concurrency.md calls the coroutine of beam.spawn a task
    for _, path in ipairs(require("reference.pages").list()) do
      for variable, name in read(path):gmatch "%f[%w_](%l+):([%l_]+)%f[^%l_][%(`{]" do
        local class = classes[variable]
        named = named + (class and 1 or 0)
        assert(not class or methods[("beam.%s:%s"):format(class, name)], ("%s: %s:%s"):format(path, variable, name))
      end
    end
    assert(named > 60, named)
  end)

  it("names no class that it does not describe", function()
    local text, described = "", {}
    for name in pairs((library.files())) do
      text = text .. read("docs/library/" .. name)
    end
    for name in text:gmatch "%-%-%-@%a+ (beam[%w_.]*)" do
      described[name] = true
    end
    for line in text:gmatch "[^\n]+" do
      local types = line:match "^%-%-%-@param [%w_.]+ (.*)" or line:match "^%-%-%-@field [%w_]+ (.*)" or line:match "^%-%-%-@return (.*)"
      types = types and require("reference.comments").split_type(types) or ""
      for name in types:gmatch "beam[%w_.]*" do
        assert(described[name], name .. " in " .. line)
      end
    end
  end)

  describe("of objects", function()
    local app, server, client
    local objects = {}

    setup(function()
      app = require("beam.serve").new()
      app.realtime("echo", function(text)
        return text
      end)
      app.endpoint("multiply", function(input)
        return { result = input.x * 2 }
      end)
      app.task_queue("train", function()
        return { loss = 0.1 }
      end)
      server = assert(app.listen { token = "library", log = function() end })
      client = assert(beam.client { gateway = server.url, token = "library" })
      local task = assert(client.submit("train", {}))
      assert(task:wait(60))
      objects = {
        ["beam.stream"] = client.stream("multiply", { x = 1 }),
        ["beam.map"] = client.map("multiply", { { x = 1 } }),
        ["beam.task"] = task,
        ["beam.task_events"] = task:events(),
        ["beam.pages"] = client.tasks(),
        ["beam.task_list"] = client.tasks(),
        ["beam.deployment_list"] = client.deployments(),
        ["beam.deployment"] = client.deployment "multiply",
        ["beam.connection"] = client.realtime "echo",
        ["beam.pool"] = client.pool("echo", { size = 1 }),
        ["beam.coroutine"] = beam.spawn(function() end),
        ["beam.error"] = select(2, client.call("none", {})),
        ["beam.serve.server"] = server,
        ["beam.serve.deployment"] = app.endpoint("further", function() end),
        ["beam.serve.response"] = app.response(200, {}),
        ["beam.call_info"] = select(2, client.call("multiply", { x = 1 })),
      }
    end)

    teardown(function()
      objects["beam.connection"]:close()
      objects["beam.pool"]:close()
      app.close()
    end)

    it("has methods and fields that are there", function()
      local checked = 0
      local function check(class)
        local object = objects[class.name]
        for _, method in ipairs(object and class.methods or {}) do
          assert.equal("function", type(object[method.name]), class.name .. ":" .. method.name)
          assert.same(documented_params(method), params_of(object[method.name], { self = true }), class.name .. ":" .. method.name)
        end
        for _, field in ipairs(object and class.fields or {}) do
          local may_be_nil = field.type:find "%?$" or field.type:find "nil" or field.type == "any"
          assert(may_be_nil or object[field.name] ~= nil, class.name .. " has no " .. field.name)
        end
        checked = checked + (object and 1 or 0)
      end
      each("objects", check)
      each("tables", check)
      assert.equal(16, checked)
    end)

    it("has the functions of a client", function()
      local text = read "docs/library/beam.lua"
      for name in pairs(require("beam.client").functions) do
        assert(text:find("function beam_client." .. name .. "(", 1, true), name)
        assert.equal("function", type(client[name]))
      end
      assert.equal(server.url .. "/endpoint/multiply", client.address "multiply")
      assert.equal(server.url .. "/endpoint/multiply", client:address "multiply")
    end)
  end)
end)
