-- The prompt: a line is read, run as a coroutine, its results are shown. Ctrl-C ends the line that runs, wherever it waits or computes, and
-- clears the one that is typed; Ctrl-D ends it all. What was spawned, and every connection, goes on while the prompt waits.
local driver = require "beam.driver"
local help = require "beamlua.repl.help"
local inspect = require "beam.inspect"
local log = require "beam.log"
local new_prompt = require("beamlua.repl.prompt").new
local run = require "beamlua.run"
local terminal = require "beamlua.cli.terminal"
local waiting = require "beam.driver.waiting"

local unpack = table.unpack or unpack

-- ---- Running a line ----

local never = "this wait would never end: nothing is open, due or running that could end it (deadlock)"

-- Ends the wait of a task: it goes on, and finds an error there.
local function interrupt(task, message)
  debug.sethook(task.thread, function()
    debug.sethook(task.thread)
    error(message, 0)
  end, "crl")
  waiting.cut_short(task)
end

-- A tail call, so that a traceback says "in main chunk".
local function call(chunk)
  return chunk()
end

-- Runs fn to its end, in a coroutine. Returns what it raised, and whether Ctrl-C was pressed meanwhile.
local function run_to_end(prompt, fn)
  local task, pressed = driver.spawn(fn), false
  task.joined = true -- its failure is told here
  while not task.done do
    if prompt:interrupted() then
      pressed = true
      interrupt(task, "interrupted")
    elseif waiting.stuck() then
      interrupt(task, never)
    end
    prompt:turn()
  end
  prompt:turn(0) -- what it spawned and failed is told now
  pressed = prompt:interrupted() or pressed
  return task.err, pressed
end

-- ---- Showing ----

local function show_results(paint, ...)
  local count = select("#", ...)
  if count == 0 then
    return
  end
  local texts = {}
  for i = 1, count do
    texts[i] = inspect.inspect((select(i, ...)), { paint = paint })
  end
  print(table.concat(texts, "\t"))
end

local function show_error(host, err, pressed)
  local paint = terminal.painter(2)
  local cause = err.cause
  if pressed and type(cause) == "string" and cause:find "interrupted$" then
    io.stderr:write(paint("red", "interrupted"), "\n")
  elseif require("beam.error").is(cause) then
    io.stderr:write(inspect.inspect(cause, { paint = paint }), "\n")
  else
    io.stderr:write(paint("red", "error: "), run.describe(host, err), "\n")
  end
end

-- ---- Reading a statement ----

local function is_incomplete(message)
  return message:sub(-5) == "<eof>"
end

-- exit and quit, alone on a line.
local exit = setmetatable({}, {
  __name = "exit",
  __call = function(_, code)
    os.exit(code)
  end,
})

local function is_exit(text)
  local word = text:match "^%s*([a-z]+)%s*;?%s*$"
  return (word == "exit" or word == "quit") and rawget(_G, word) == exit
end

-- An expression is tried first. Of the two messages the one of the statement holds, unless that does not get beyond its first word.
local function compile(text)
  local expression = text:match "^%s*=(.*)$" or text
  local chunk, of_expression = load("return " .. expression, "=stdin")
  if chunk then
    return chunk
  end
  local statement, message = load(text, "=stdin")
  local no_statement = message and (is_incomplete(of_expression) or message:find "^stdin:1: unexpected symbol near")
  return statement, no_statement and of_expression or message
end

-- Reads lines until they make a chunk. Returns the chunk, or nil and what is wrong: a message, "end" or "interrupted".
local function read_chunk(prompt)
  local text, why = prompt:read(_G._PROMPT and tostring(_G._PROMPT) or "> ")
  if text and is_exit(text) then
    return nil, "end"
  end
  while text do
    local chunk, message = compile(text)
    if chunk or not is_incomplete(message) then
      return chunk, message
    end
    local more
    more, why = prompt:read(_G._PROMPT2 and tostring(_G._PROMPT2) or ">> ")
    text = more and text .. "\n" .. more
  end
  return nil, why
end

-- ---- The loop ----

local function read_and_run(host, prompt)
  local chunk, problem = read_chunk(prompt)
  if not chunk and problem == "end" then
    return false
  elseif not chunk and problem == "interrupted" then
    io.stdout:write "\n"
  elseif not chunk then
    io.stderr:write(terminal.painter(2)("red", "error: "), problem, "\n")
  else
    local err, pressed = run_to_end(prompt, function()
      show_results(terminal.painter(1), call(chunk))
    end)
    if err then
      show_error(host, err, pressed)
    end
  end
  return true
end

-- What print shows of a table is what is in it, not where it is.
local function shown(value)
  return inspect.is_opened(value) and inspect.inspect(value) or value
end

-- What is written while a line is being edited comes above it.
local function redirect(prompt)
  local print_plainly = print
  function print(...) -- luacheck: ignore 121
    local values, count = { ... }, select("#", ...)
    for i = 1, count do
      values[i] = shown(values[i])
    end
    prompt:aside(print_plainly, unpack(values, 1, count))
  end
  log.to(function(level, line)
    if log.levels[level] <= log.levels.warning then
      prompt:aside(io.stderr.write, io.stderr, "beam: ", level, ": ", line, "\n")
    end
  end)
end

-- Words of the prompt; a script's own of the same name stay.
local function add_words()
  for name, value in pairs { help = help.global, exit = exit, quit = exit } do
    if rawget(_G, name) == nil then
      rawset(_G, name, value)
    end
  end
end

--- Returns what host.run drives the main function with: it runs to its end, then the prompt takes over.
---@param host table
return function(host)
  terminal.setup(host)
  return function(main)
    local prompt = new_prompt(host)
    host.leave = function()
      prompt:close()
    end
    host.interactive(true)
    redirect(prompt)
    add_words()
    inspect.width = terminal.columns(1)
    local err, pressed = run_to_end(prompt, main)
    if err then
      show_error(host, err, pressed)
    end
    repeat
      local goes_on = read_and_run(host, prompt)
    until not goes_on
    if terminal.is(0) then
      io.stdout:write "\n"
    end
    host.interactive(false)
    return 0
  end
end
