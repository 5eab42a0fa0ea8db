-- beamlua explain STATUS|CODE|KIND|TEXT: what it means, whether the handler ran, whether another attempt is made, what to do. All of it is
-- looked up in beam/outcome.lua, by which the module itself goes.
local ascii = require "beam.base.ascii"
local exit_codes = require "beamlua.cli.exit_codes"
local meanings = require "beamlua.cli.meanings"
local outcome = require "beam.outcome"
local output = require "beamlua.cli.output"
local status_codes = require "beamlua.cli.errors.status_codes"
local suggest = require "beam.base.suggest"

local ran = { no = "no", yes = "yes", unknown = "nobody knows" }

local function print_row(indent, result)
  output.line(indent .. "did the handler run?  " .. ran[result.executed])
  output.line(indent .. "is it tried again?    " .. (result.retryable and "yes, by itself" or "no"))
  if result.hint then
    output.line(indent .. "what to do:           " .. result.hint)
  end
end

-- ---- Statuses ----

-- The rows of a status that fit the text; without a text, all.
local function rows_of(status, text)
  local fitting = {}
  for _, row in ipairs(outcome.calls[status] or {}) do
    if not text then
      fitting[#fitting + 1] = row.says or ""
    elseif row.says and text:find(row.says, 1, true) then
      return { row.says }
    end
  end
  return #fitting > 0 and fitting or { "" }
end

local function status(number, text)
  output.line(("HTTP status %d: %s"):format(number, meanings.statuses[number] or "no status that Beam is known to give"))
  if number >= 200 and number < 300 then
    output.line "  a success"
    return 0
  end
  for _, says in ipairs(rows_of(number, text)) do
    output.line(says ~= "" and ("to a call, with the words '%s':"):format(says) or "to a call:")
    local result = outcome.of_call(number, says)
    if number == 401 then
      result.hint = outcome.unauthorized "bearer"
    end
    print_row("  ", result)
  end
  output.line "to a realtime connection, before it is open:"
  local result = outcome.of_upgrade(number, text or "")
  result.hint = number == 401 and outcome.unauthorized "bearer" or result.hint
  print_row("  ", result)
  return 0
end

-- ---- Close codes, kinds, states ----

local function name_of_close(code)
  if code >= 3000 then
    return code >= 4000 and "a code of the app's own" or "a code of a library's or the app's"
  end
  return meanings.closes[code] or "no code that is in use"
end

local function close(code)
  local result = outcome.of_close(code, "closed")
  output.line(("close code %d: %s"):format(code, name_of_close(code)))
  output.line("  did it arrive?        what was sent last may or may not have been handled")
  output.line("  is it opened again?   " .. (result.retryable and "yes, by itself" or "no"))
  if result.hint then
    output.line("  why, or what to do:   " .. result.hint)
  end
  return 0
end

local function kind(name)
  local row = meanings.kinds[name]
  output.line(("error of kind %s: %s"):format(name, row[1]))
  if row[2] ~= "" then
    output.line("  what to do:           " .. row[2])
  end
  output.line(("  beamlua ends with:    %d"):format(exit_codes[name]))
  return 0
end

local function number(value, text)
  if value >= 1000 and value <= 4999 then
    return close(value)
  elseif value >= 100 and value <= 599 then
    return status(value, text)
  end
end

-- The name of the kind that this exit code stands for.
local function exit_code(value)
  for _, row in ipairs(status_codes.list()) do
    if row[1] == value then
      output.line(("exit code %d: %s"):format(value, row[2]))
      return 0
    end
  end
  for name, code in pairs(exit_codes) do
    if code == value and meanings.kinds[name] then
      output.line(("exit code %d:"):format(value))
      return kind(name)
    end
  end
end

-- ---- A text ----

-- What Beam said, whichever status it came with: of two fitting words the longer ones.
local function status_of_words(text)
  local found, longest = nil, 0
  for code, rows in pairs(outcome.calls) do
    for _, row in ipairs(rows) do
      for _, words in ipairs { row.says or "", row.hint or "" } do
        if #words > longest and text:find(words, 1, true) then
          found, longest = code, #words
        end
      end
    end
  end
  return found
end

-- As errors are written ("beamlua call: connect: …"), or else by words that the system and its libraries have for one.
local function kind_of_words(text)
  for name in text:gmatch "([a-z_]+): " do
    if meanings.kinds[name] then
      return name
    end
  end
  for _, row in ipairs(meanings.words) do
    if ascii.lower(text):find(row[1], 1, true) then
      return row[2]
    end
  end
end

local function read(text)
  local code = text:match "answered with (%d%d%d)" or text:match "^[Hh][Tt][Tt][Pp]/[%d.]+ (%d%d%d)" or text:match "closed with (%d%d%d%d)"
  local exit, name = text:match "^[Ee]xit[a-z ]* (%d+)$", kind_of_words(text)
  if code then
    return number(tonumber(code), text)
  elseif exit then
    return exit_code(tonumber(exit))
  elseif status_of_words(text) then
    return status(status_of_words(text), text)
  elseif name then
    return kind(name)
  end
end

local function unknown(text)
  local known = {}
  for _, names in ipairs { meanings.kinds, meanings.tasks } do
    for name in pairs(names) do
      known[ascii.lower(name)] = true
    end
  end
  local meant = suggest(text, known)
  io.stderr:write(("beamlua explain: nothing is known of '%s'%s\n"):format(text, meant and ("; did you mean '%s'?"):format(meant) or ""))
  return exit_codes.script
end

return function(context)
  local text = table.concat(context.positionals, " ")
  local value = math.tointeger(tonumber(text))
  if value then
    return number(value) or exit_code(value) or unknown(text)
  elseif meanings.kinds[text] then
    return kind(text)
  elseif meanings.tasks[ascii.upper(text)] then
    output.line(("task state %s: %s"):format(ascii.upper(text), meanings.tasks[ascii.upper(text)]))
    return 0
  end
  return read(text) or unknown(text)
end
