-- A request body that is not held in memory: read from a file, or asked of a function, piece by piece, as fast as the server takes it.
local answer_error = require "beam.http.answer_error"
local driver = require "beam.driver"
local errors = require "beam.error"
local protect = require "beam.driver.protect"
local mistake = require "beam.base.mistake"

local upload = {}

local piece_size = 64 * 1024 -- bytes read from a file at a time
local high_water = 256 * 1024 -- bytes that wait for the socket, with which the source is asked for no more

---@class beam.upload
---@field size integer? bytes, if known; else it is sent chunked
---@field repeatable boolean it can be sent once more
---@field taken boolean some of it was asked for
---@field open fun(): (fun(): string?, any), fun()? begins it: what gives the next piece, and what ends it; or nil and a message

-- ---- Sources ----

local largest = 2 ^ 53 -- the "size" of a folder is beyond it

-- Nothing where it is no file that can be read twice.
local function position_and_size(file)
  local position = file:seek()
  local last = position and file:seek "end"
  if last then
    file:seek("set", position)
    return position, last < largest and last - position or nil
  end
end

local function pieces_of(file)
  return function()
    return file:read(piece_size)
  end
end

local function from_file(file, size)
  local position, rest = position_and_size(file)
  return {
    size = size or rest,
    repeatable = position ~= nil,
    open = function()
      if io.type(file) ~= "file" then
        return nil, "it is closed"
      elseif position then
        file:seek("set", position)
      end
      return pieces_of(file)
    end,
  }
end

local function read_and_close(file)
  return pieces_of(file), function()
    file:close()
  end
end

-- A pipe, say: what is read of it is gone, so that it is opened once, and not looked into before.
local function from_stream(file, size)
  return {
    size = size,
    repeatable = false,
    open = function()
      return read_and_close(file)
    end,
  }
end

local function from_path(path, size)
  local file, problem = io.open(path, "rb")
  if not file then
    return nil, problem
  end
  local position, rest = position_and_size(file)
  if not position then
    return from_stream(file, size)
  end
  problem = select(2, file:read(0)) -- a folder can be opened, and not read
  file:close()
  if problem then
    return nil, path .. ": " .. problem
  end
  return {
    size = size or rest,
    repeatable = true,
    open = function()
      local opened, why = io.open(path, "rb")
      if not opened then
        return nil, why
      end
      return read_and_close(opened)
    end,
  }
end

local function from_function(generator, size)
  return {
    size = size,
    repeatable = false,
    open = function()
      return generator
    end,
  }
end

local function invalid(message, sent)
  return errors.new {
    kind = "invalid",
    message = message,
    phase = sent and "request" or "none",
    executed = sent and "unknown" or "no",
  }
end

-- ---- Options ----

local function check(options, where)
  local body, size = options.body, options.body_size
  local kind = io.type(body) or type(body)
  if body ~= nil and options.file ~= nil or options.input ~= nil and (body ~= nil or options.file ~= nil) then
    mistake(where .. ": one of input, body and file")
  elseif body ~= nil and kind ~= "string" and kind ~= "file" and kind ~= "function" then
    mistake(("%s: body is a string, an open file or a function that gives the next piece, not a %s"):format(where, kind))
  elseif options.file ~= nil and type(options.file) ~= "string" then
    mistake(("%s: file is a path, not a %s"):format(where, type(options.file)))
  elseif size ~= nil and not (type(size) == "number" and size >= 0 and size % 1 == 0) then
    mistake(where .. ": body_size is a number of bytes")
  elseif size ~= nil and body == nil and options.file == nil then
    mistake(where .. ": body_size is for body and file")
  end
end

--- The names of the options that this is about.
upload.options = { body = true, body_size = true, file = true }

--- Whether a body is given here at all; raises for what makes no sense.
---@param options { body: string|file*|function|nil, body_size: integer?, file: string?, input: any }
---@param where string "beam.call"
---@return boolean
function upload.is_given(options, where)
  if options.body == nil and options.file == nil and options.body_size == nil then
    return false
  end
  check(options, where)
  return options.body ~= nil or options.file ~= nil
end

--- The source of a body that is no string.
---@return beam.upload?, beam.error? err
function upload.source(options)
  local source, problem
  if options.file then
    source, problem = from_path(options.file, options.body_size)
  elseif io.type(options.body) then
    source = from_file(options.body, options.body_size)
  else
    source = from_function(options.body, options.body_size)
  end
  if not source then
    return nil, invalid("the file to send cannot be read: " .. problem)
  end
  source.taken = false
  return source
end

--- Whether it is gone, so that nothing can be tried again.
---@param source beam.upload
function upload.is_spent(source)
  return source.taken and not source.repeatable
end

local no_file = "it takes a JSON object, and no file: beam.upload(path) gives a URL to pass in it, beam.base64.encode(bytes) a text"

--- What was sent was no JSON, which most kinds want: says what to do with a file.
---@param options { body: any, file: string? }
---@param err beam.error
---@return beam.error err
function upload.explain(options, err)
  if (options.file or options.body) and err.status == 400 and answer_error.text_of(err.body):find("invalid request payload", 1, true) then
    err.hint = no_file
  end
  return err
end

--- Tells the core what is coming.
---@param request beam.core.http_options
---@param source beam.upload
function upload.announce(request, source)
  request.upload = true
  request.body_size = source.size and source.size > 0 and source.size or nil
end

-- ---- Feeding ----

-- The core took no more.
local function refused(failure, what, source)
  if failure.kind == "invalid" then
    return invalid(("the body %s the %d bytes that were announced"):format(what, source.size), true)
  elseif failure.kind ~= "closed" then -- if it is, there is an answer, which says the rest
    return errors.from_core(failure)
  end
end

local function wait_for_room(http, state)
  while not state.over and http:pending() >= high_water do
    state.drained:wait()
  end
  return not state.over
end

-- Returns an error if it could not be brought to its end.
local function run(source, read, http, state)
  while wait_for_room(http, state) do
    source.taken = true
    local ok, piece, problem = protect.hook(read)
    local done, failure
    if state.over then
      return nil
    elseif not ok then
      piece.executed = "unknown"
      return piece
    elseif piece == nil and problem ~= nil then
      return errors.is(problem) and problem or invalid("the body broke off: " .. tostring(problem), true)
    elseif piece == nil then
      done, failure = http:write_end()
      return not done and refused(failure, "ended before", source) or nil
    elseif type(piece) ~= "string" then
      return invalid(("the function that gives the body returned a %s instead of a string"):format(type(piece)), true)
    end
    done, failure = http:write(piece)
    if not done then
      return refused(failure, "is longer than", source)
    end
  end
end

--- Feeds an exchange until the source has ended or the exchange is over, in a coroutine of its own: a function may wait. What it waits for
--- when the exchange ends is not interrupted.
---@param source beam.upload
---@param http beam.core.http
---@param state { over: boolean, drained: beam.signal } drained is woken with the exchange's event, and at its end
---@param fail fun(err: beam.error) the source failed: ends the exchange
function upload.feed(source, http, state, fail)
  driver.spawn(function()
    local read, close = source.open()
    local err
    if read then
      err = run(source, read, http, state)
    else
      err = invalid("the file to send cannot be read: " .. close)
    end
    if read and close then
      close()
    end
    if err and not state.over then
      fail(err)
    end
  end)
end

return upload
