-- beamlua serve: the local Beam, with the handlers of an app.lua or two of its own.
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

-- The app that the file fills: the module beam.serve itself, or one of its own that it returns.
local function load_app(module, path)
  if not path then
    built_in(module)
    return module
  end
  local chunk, message = loadfile(path)
  if not chunk then
    error(message, 0)
  end
  local returned = chunk()
  local app = type(returned) == "table" and type(returned.deployments) == "table" and returned or module
  if #app.deployments.list == 0 then
    error(path .. " deploys nothing: call app.realtime, app.endpoint or app.task_queue in it", 0)
  end
  return app
end

local function announce(app, server, options)
  local names = {}
  for _, deployment in ipairs(app.deployments.list) do
    names[#names + 1] = "/" .. deployment.kind .. "/" .. deployment.name
  end
  local key = "the token you gave it is demanded"
  if options.token == true then
    key = ("token %s; scripts of yours on this machine find it"):format(server.token)
  elseif not options.token and not options.basic then
    key = "any token is accepted"
  end
  print(("local Beam at %s (%s; BEAM_GATEWAY_URL=%s): %s"):format(server.url, key, server.url, table.concat(names, " ")))
  print(("page: %s/%s"):format(server.url, options.token == true and "#token=" .. server.token or ""))
  if options.tls == true then
    print(("trust its certificate: tls = { ca_file = %q }, --ca-file or SSL_CERT_FILE"):format(server.certificate))
  end
  io.stdout:flush()
end

-- --cert and --key are TLS, too.
local function tls_of(options)
  local tls = options.tls
  if options.cert or options.key then
    tls = { cert = options.cert, key = options.key, key_passphrase = options.key_passphrase }
    if not (tls.cert and tls.key) then
      error("--cert and --key belong together", 0)
    end
  end
  options.cert, options.key, options.key_passphrase = nil, nil, nil
  return tls
end

-- A variable that is empty counts as one that is not set: nobody could send an empty token.
local function token_of_environment()
  local token = os.getenv "BEAM_SERVE_TOKEN"
  return token ~= "" and token or nil
end

local function log_to_stderr(quiet)
  return function(level, line)
    if level ~= "info" or not quiet then
      io.stderr:write(os.date "%H:%M:%S ", level == "info" and "" or level .. ": ", line, "\n")
    end
  end
end

return function(context)
  if context.options.replay then
    return require "beamlua.cli.replay"(context)
  end
  local options = context.options
  options.port = options.port or 1994
  options.token = options.token or token_of_environment() or not (options.basic or options.no_token) or nil
  options.no_token = nil
  options.tls = tls_of(options)
  options.log = log_to_stderr(options.quiet)
  options.quiet = nil
  local app = load_app(require "beam.serve", context.positionals[1])
  local server, err = app.listen(options)
  if not server then
    error(err, 0)
  end
  announce(app, server, options)
end
