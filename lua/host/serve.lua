-- beamlua serve: the local Beam, with the handlers of an app.lua or two of its own.
local syntax = require "beam.serve.fault_syntax"

local usage = [[
usage: beamlua serve [app.lua] [options]
  --port N        port to listen on (default 1994; 0: a free one)
  --host H        numeric address (default 127.0.0.1)
  --token T       the token to demand (default: BEAM_SERVE_TOKEN; without one everybody is let in)
  --basic ID:SECRET  client id and secret to accept as well
  --ping S        seconds between app pings (default 5)
  --fault FAULTS  what goes wrong on demand, see below; may be given several times
  --quiet         no access log
app.lua deploys its handlers:
  local app = require "beam.serve"
  app.realtime("echo", function(text) return { response = text } end)
  app.endpoint("multiply", function(input) return { result = input.x * 2 } end)
  app.task_queue("train", function(input, context) context.output("model.txt", "…") return { loss = 0.1 } end)
Without an app.lua: echo and multiply, as above, generate (an endpoint that streams: prompt, count, delay) and train (a task queue: steps,
delay).
]] .. syntax.help .. "\n"

local function basic(value)
  local id, secret = value:match "^([^:]+):(.+)$"
  return id and { id = id, secret = secret }
end

local function port(value)
  local number = math.tointeger(tonumber(value))
  return number and number >= 0 and number <= 65535 and number or nil
end

local function text(value)
  return value
end

local function seconds(value)
  return tonumber(value)
end

local function fault(value, before)
  local ok, problem = syntax.parse(value)
  return ok and value ~= "" and (before and before .. "," .. value or value) or nil, problem
end

-- As it is written = { the option's name, its reader: a function of the text and of what was given before }.
local options_with_value = {
  ["--port"] = { "port", port },
  ["--host"] = { "host", text },
  ["--token"] = { "token", text },
  ["--basic"] = { "basic", basic },
  ["--ping"] = { "ping", seconds },
  ["--fault"] = { "fault", fault },
}

-- Returns the options and the path of the app, or nil and what is wrong.
local function read_arguments(arguments)
  local options, path, i = { port = 1994, token = os.getenv "BEAM_SERVE_TOKEN" }, nil, 1
  while arguments[i] do
    local name, value = arguments[i]:match "^(%-%-%w+)=?(.*)$"
    local option = options_with_value[name]
    if option then
      if value == "" then
        i = i + 1
        value = arguments[i] or ""
      end
      local read, problem = option[2](value, options[option[1]])
      if value == "" or read == nil then
        return nil, problem or name .. " wants a value" .. (value ~= "" and ", not '" .. value .. "'" or "")
      end
      options[option[1]] = read
    elseif name == "--quiet" then
      options.quiet = true
    elseif arguments[i]:sub(1, 1) == "-" then
      return nil, "unknown option '" .. arguments[i] .. "'"
    elseif path then
      return nil, "one app.lua is enough"
    else
      path = arguments[i]
    end
    i = i + 1
  end
  return options, path
end

-- Streams the words of a prompt, again and again: { token = "…" }.
local function generate(input)
  local sleep, words, i = require("beam.driver").sleep, {}, 0
  for word in (input.prompt or "beam me up"):gmatch "%S+" do
    words[#words + 1] = word
  end
  return function()
    i = i + 1
    if i <= (input.count or #words) and #words > 0 then
      sleep(input.delay or 0.05)
      return { token = words[(i - 1) % #words + 1] }
    end
  end
end

-- Learns nothing, in as many steps as asked for, and hands out what it learned.
local function train(input, context)
  local log, loss = {}, 1
  for step = 1, input.steps or 5 do
    if not context.sleep(input.delay or 0.2) then
      return
    end
    loss = loss * 0.7
    log[step] = ("step %d loss %.4f\n"):format(step, loss)
  end
  context.output("log.txt", table.concat(log))
  context.output("model.txt", ("a model of loss %.4f\n"):format(loss))
  return { steps = #log, loss = loss }
end

local function built_in(app)
  local json = require "beam.json"
  app.realtime("echo", function(message)
    local value = json.decode(message)
    return { response = value == nil and message or value }
  end)
  app.endpoint("multiply", function(input)
    if type(input.x) ~= "number" then
      return app.response(400, { error = "x must be a number" })
    end
    return { result = input.x * 2 }
  end)
  app.endpoint("generate", generate, { inputs = { prompt = "string?", count = "integer?", delay = "number?" } })
  app.task_queue("train", train)
end

local function load_app(app, path)
  if not path then
    return built_in(app)
  end
  local chunk, message = loadfile(path)
  if not chunk then
    error(message, 0)
  end
  chunk()
  if #app.deployments.list == 0 then
    error(path .. " deploys nothing: call app.realtime, app.endpoint or app.task_queue in it", 0)
  end
end

local function announce(app, server, options)
  local names = {}
  for _, deployment in ipairs(app.deployments.list) do
    names[#names + 1] = "/" .. deployment.kind .. "/" .. deployment.name
  end
  local key = (options.token or options.basic) and "the token you gave it is demanded" or "any token is accepted"
  print(("local Beam at %s (%s; BEAM_GATEWAY_URL=%s): %s"):format(server.url, key, server.url, table.concat(names, " ")))
  io.stdout:flush()
end

local function log_to_stderr(quiet)
  return function(level, line)
    if level ~= "info" or not quiet then
      io.stderr:write(os.date "%H:%M:%S ", level == "info" and "" or level .. ": ", line, "\n")
    end
  end
end

return function(host, arguments)
  if arguments[1] == "--help" or arguments[1] == "-h" then
    print(usage)
    return 0
  end
  local options, path = read_arguments(arguments)
  if not options then
    io.stderr:write("beamlua serve: ", path, "\n", usage)
    return 2
  end
  options.log = log_to_stderr(options.quiet)
  options.quiet = nil
  return require "host.run"(host, function()
    local app = require "beam.serve"
    load_app(app, path)
    local server, err = app.listen(options)
    if not server then
      error(err, 0)
    end
    announce(app, server, options)
  end)
end
