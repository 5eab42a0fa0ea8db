-- beamlua call NAME [JSON|@FILE|-|FIELD…]
local answer_error = require "beam.http.answer_error"
local errors = require "beam.error"
local form = require "beamlua.cli.form"
local input_of = require "beamlua.cli.input"
local json = require "beam.json"
local new_destination = require("beamlua.cli.destination").new
local output = require "beamlua.cli.output"
local visible = require "beam.base.visible"

-- ---- What is sent ----

local function retry_policy(count)
  if not count then
    return nil
  elseif count == 0 then
    return false
  end
  return require("beam.retry").backoff { base = 0.5, max = 30, attempts = count }
end

local function standard_input()
  return io.read(65536)
end

local function add_form(call, fields)
  local made, err = form.body(fields)
  if not made then
    return nil, err
  end
  call.headers = call.headers or {}
  call.headers["content-type"] = made.type
  call.body, call.body_size = made.body, made.size
  return true
end

local function add_input(context, call)
  local options, positionals = context.options, context.positionals
  local given = (options.form and 1 or 0) + (options.upload and 1 or 0) + (positionals[2] and 1 or 0)
  if given > 1 then
    error("beamlua: one of an input, --form and --upload", 0)
  elseif options.form then
    return add_form(call, options.form)
  elseif options.upload == "-" then
    call.body = standard_input
  elseif options.upload then
    call.file = options.upload
  elseif options.raw and positionals[2] and not positionals[3] then
    local problem
    call.input, problem = input_of.text(positionals[2])
    return not problem or nil, problem
  else
    local problem
    call.input, problem = input_of.of(positionals)
    return not problem or nil, problem
  end
  return true
end

local function gather(context)
  local options = context.options
  local call = {
    context.positionals[1],
    timeout = options.timeout,
    raw = options.raw,
    headers = options.headers,
    method = options.method,
    path = options.path,
    kind = options.kind,
    version = options.version,
    retry = retry_policy(options.retry),
    idempotent = options.idempotent,
  }
  local ok, err = add_input(context, call)
  return ok and call, err
end

-- ---- What comes ----

local phases = { "queued", "dns", "tcp", "tls", "wait", "body" }

local function tell(context, info)
  if not context.options.verbose then
    return
  end
  local task, times = info.task_id and ", task " .. info.task_id or "", {}
  output.say(context, "status %s, %d attempts, %.3f s%s", tostring(info.status), info.attempts or 0, info.elapsed or 0, task)
  for _, phase in ipairs(info.times and phases or {}) do
    times[#times + 1] = ("%s %.1f ms"):format(phase, info.times[phase] * 1000)
  end
  if times[1] then
    output.say(context, "%s", table.concat(times, ", "))
  end
end

-- Beam tells of input that does not fit with status 200.
local function refusal(stream, text)
  if text:find("ValidationError", 1, true) then
    local response = { status = stream.status, headers = stream.headers, body = text }
    return answer_error.from_validation("the call", response, json.decode(text))
  end
end

-- What is written of an item: each is a line, those of a raw answer are bytes.
local function text_of(context, item, raw)
  if raw then
    return item
  end
  local text, why = item, nil
  if not context.options.raw then
    text, why = json.encode(item)
  end
  if not text then
    local hint = "--raw prints items as they are"
    return nil, errors.new { kind = "json", message = "an item cannot be written as JSON: " .. why, executed = "yes", hint = hint }
  end
  return text .. "\n"
end

local function write_items(context, destination, stream, raw)
  local item, problem = stream:next() -- behind an item stands what was sent with it
  local refused = raw and item and refusal(stream, item)
  if refused then
    return nil, refused
  end
  while item ~= nil do
    local text, err = text_of(context, item, raw)
    local ok = text ~= nil
    if ok then
      ok, err = destination:write(text)
    end
    if not ok then
      return nil, err
    end
    item, problem = stream:next()
  end
  if problem then
    return nil, problem
  end
  return destination:close()
end

local function stream_items(context, client, call, raw)
  local destination = new_destination(context.options)
  local stream, err = client.stream(call)
  if not stream then
    return nil, err
  end
  local ok, problem = destination:head(stream.status, stream.headers)
  if ok then
    ok, problem = write_items(context, destination, stream, raw)
  end
  tell(context, { status = stream.status, attempts = stream.attempts, task_id = stream.task_id })
  return ok and 0 or nil, problem
end

-- What the server said stands on stderr with --verbose, and where it is asked for with --include.
local function tell_refusal(context, destination, err)
  if context.options.include and err.status then
    destination:head(err.status, err.headers)
    destination:write((err.raw or "") .. "\n")
  end
  local body = context.options.verbose and answer_error.text_of(err.body) or ""
  if body ~= "" then
    io.stderr:write(visible.lines(body), "\n")
  end
end

local function write_result(context, destination, info)
  local raw = info.raw or ""
  local ok, err = destination:head(info.status, info.headers)
  if not ok then
    return nil, err
  elseif context.options.raw then
    return destination:write(raw)
  elseif raw:find "^%s*$" then
    return destination:json "null"
  end
  return destination:json(raw)
end

local function call_once(context, client, call)
  local destination = new_destination(context.options)
  local result, info = client.call(call)
  tell(context, info)
  if result == nil then
    tell_refusal(context, destination, info)
    return nil, info
  end
  local ok, err = write_result(context, destination, info)
  if ok then
    ok, err = destination:close()
  end
  return ok and 0 or nil, err
end

return function(context)
  local client, err = context.client()
  if not client then
    return nil, err
  end
  local call, problem = gather(context)
  if not call then
    return nil, problem
  elseif context.options.stream then
    return stream_items(context, client, call, false)
  elseif context.options.output then
    call.format = "raw"
    return stream_items(context, client, call, true) -- of any size
  end
  return call_once(context, client, call)
end
