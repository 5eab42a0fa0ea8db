-- The commands of beamlua: what they are called, what they take, what they do in a sentence. From this one table come the reading of the
-- command line (beamlua/cli/arguments.lua), the help (beamlua/cli/help.lua), the shell completions (beamlua/cli/completions.lua) and the
-- manual (tests/manual.lua).
--
-- asks: the kind of deployment that the first argument names; names: of what kind it is for shells to complete, "deployments" (where asks
-- is set), "tasks" or "contexts"; so of an option.
--
-- An option is { as it is written, what its value is called, what it means }, and
--   read = its reader (beamlua/readers.lua; default: text)   as = its name for the command (default: as it is written)   short = "-v"
local of_the_api = require "beamlua.cli.api_commands"
local readers = require "beamlua.readers"
local shared = require "beamlua.cli.rows.shared"

local timeout, json, told, kind, version = shared.timeout, shared.json, shared.told, shared.kind, shared.version
local header, limit, task_kinds = shared.header, shared.limit, shared.task_kinds

-- Of every command that asks Beam.
local client = {
  { "--gateway", "URL", "another gateway than the configured one" },
  { "--config", "FILE", "the configuration of Beam's own tools, if not ~/.beam/config.ini", file = true },
  { "--context", "NAME", "its section", names = "contexts" },
  { "--ca-file", "FILE", "certificates to trust, PEM", as = "ca_file", file = true },
  { "--cert", "FILE", "our certificate, PEM", file = true },
  { "--key", "FILE", "its key, PEM", file = true },
  { "--key-passphrase-file", "FILE", "its first line decrypts the key", as = "key_passphrase", read = readers.first_line, file = true },
  { "--proxy", "URL", "http://host:port; default: https_proxy and the like" },
  { "--insecure", nil, "do not check the server's certificate" },
  { "--metrics-port", "PORT", "figures at http://127.0.0.1:PORT/metrics, for Prometheus", as = "metrics_port", read = readers.port },
  { "--verbose", nil, "say on stderr what goes on: heads of requests and answers, times", short = "-v" },
}
local help = { "--help", nil, "this text", short = "-h" }

-- A secret among the arguments can be read by everybody on the machine, in the list of processes.
local refused = {
  ["--token"] = "a token on the command line can be read by everybody on this machine (ps): set BEAM_TOKEN",
}

-- ---- The commands ----

local commands = {
  {
    name = "call",
    asks = "endpoint",
    takes = "NAME [JSON|@FILE|-|FIELD…]",
    positionals = { 1, math.huge },
    says = "Calls an endpoint and prints its result.",
    details = [[
The input is a JSON object: as an argument, from a file, or - for standard input; or by fields: name=text,
name=@FILE (its text), x:=12 (JSON), x:=@FILE, f@FILE (its bytes in base64); default {}. On a terminal the result is
indented, elsewhere it is printed as it came.]],
    options = {
      { "--timeout", "S", "seconds for all attempts together", read = readers.seconds },
      { "--stream", nil, "print each item as it comes, one a line" },
      { "--raw", nil, "send the input and print the answer as they are" },
      { "--output", "FILE", "write the answer there, of whatever size", file = true, short = "-o" },
      { "--include", nil, "the status and the headers before the answer", short = "-i" },
      { "--quiet", nil, "no answer: the exit code says how it went", short = "-q" },
      { "--form", "NAME=VALUE", "a field of a form (multipart); NAME=@FILE: a file; may be repeated", read = readers.field, short = "-F" },
      { "--upload", "FILE", "send that file as it is; - for standard input", file = true, short = "-T" },
      told,
      header,
      { "--method", "METHOD", "default POST" },
      { "--path", "PATH", "behind the address: /sub, ?limit=3" },
      kind,
      version,
      { "--retry", "N", "so many further attempts at what did not run; 0: none", read = readers.natural },
      { "--idempotent", nil, "a second run does no harm" },
    },
  },
  {
    name = "realtime",
    asks = "asgi",
    takes = "NAME",
    positionals = { 1, 1 },
    says = "Sends each line of standard input as a message, prints each message as a line.",
    details = [[
At the end of standard input it stays until as many messages came as lines were sent, or none came for 5 seconds;
with --wait, until none came for so long; with --count, until so many came. Ctrl-C closes the connection.

On a terminal what goes is marked > and what comes <, with times; /ping, /close CODE REASON, /stats and /help are
commands, //text sends a line that begins with /.]],
    options = {
      { "--raw", nil, "lines and messages as they are (default)" },
      { "--json", nil, "lines must be JSON; each message is printed as one line of JSON" },
      { "--jsonl", nil, "all that happens as lines of JSON: messages, phases, losses, the end" },
      { "--binary", nil, "send binary messages" },
      { "--count", "N", "end after so many messages", read = readers.count },
      { "--timeout", "S", "give up when no message came for so long", read = readers.seconds },
      { "--wait", "S", "stay so long without a message after the end of the input", read = readers.pause },
      { "--max-message", "BYTES", "the longest message that is taken (default 16 MiB)", read = readers.count, as = "max_message" },
      { "--no-reconnect", nil, "a lost connection is the end", as = "no_reconnect" },
      header,
      version,
    },
  },
  {
    name = "watch",
    takes = "SCRIPT",
    positionals = { 1, 1 },
    says = "Runs a connection script; when its file has changed, the new one takes over on the same connection.",
    details = [[
Also written beamlua --watch SCRIPT. The script returns a table of hooks (docs/scripting.md). What it prints or emits
goes to standard output, and so do messages if it has no hook for them. A new script that does not load leaves the old
one running.]],
    options = {
      { "--target", "NAME", "what to connect to; default: what the script's hook connect says" },
      { "--limits", nil, "the safe subset of Lua and the limits that libbeamhost has by default; else there are none" },
      { "--tick", "S", "seconds between calls of the hook tick (default 0.1)", read = readers.seconds },
    },
  },
  {
    name = "submit",
    asks = "taskqueue",
    takes = "NAME [JSON|@FILE|-|FIELD…]",
    positionals = { 1, math.huge },
    says = "Submits a task and prints its id.",
    details = [[
With --wait it prints the result instead, when the task has ended.]],
    options = {
      { "--wait", nil, "wait for the end and print the result" },
      told,
      timeout,
      { "--retry", "N", "so many further attempts at what did not arrive; 0: none", read = readers.natural },
      header,
      { "--kind", "KIND", "taskqueue (default) or function", read = readers.one_of(table.unpack(task_kinds)), values = task_kinds },
      version,
    },
  },
  require "beamlua.cli.rows.map",
  require "beamlua.cli.rows.load",
  require "beamlua.cli.rows.task",
  require "beamlua.cli.rows.context",
  require "beamlua.cli.rows.serve",
  {
    name = "replay",
    says = "Shows what was recorded.",
    commands = {
      {
        name = "view",
        takes = "FILE",
        positionals = { 1, 1 },
        says = "A recording as a time line: phases, messages both ways and what became of them, further tries.",
        details = [[
FILE is what beamlua --record wrote. To play it, there is beamlua serve --replay.]],
        no_client = true,
        options = { { "--html", "OUT", "write a page to look at in a browser instead", file = true } },
      },
    },
  },
  {
    name = "doctor",
    takes = "",
    positionals = { 0, 0 },
    says = "Looks whether everything is well: versions, configuration, network, token.",
    details = [[
Each problem is told with its remedy; the exit code is that of the first one.]],
    options = { { "--timeout", "S", "seconds for each question (default 10)", read = readers.seconds } },
  },
  {
    name = "explain",
    takes = "STATUS|CODE|KIND|TEXT",
    positionals = { 1, math.huge },
    says = "Says what a status, a close code or an error means, and what to do.",
    no_client = true,
    options = {},
  },
  {
    name = "completion",
    takes = "bash|zsh|fish|deployments|tasks|contexts",
    positionals = { 1, 1 },
    says = "Prints the completions for a shell, or the names that they ask for.",
    options = {},
  },
  {
    name = "help",
    takes = "[COMMAND]",
    positionals = { 0, 2 },
    says = "Lists the commands, or explains one.",
    no_client = true,
    options = {},
  },
}

local place = 1
while commands[place].name ~= "serve" do
  place = place + 1
end
for i, command in ipairs(of_the_api { timeout = timeout, json = json, kind = kind, version = version, limit = limit }) do
  table.insert(commands, place + i - 1, command)
end

-- ---- Finding them ----

local function complete(command, before)
  command.title = before .. command.name
  for _, below in ipairs(command.commands or {}) do
    complete(below, command.title .. " ")
  end
  if command.options then
    command.options = table.move(command.options, 1, #command.options, 1, {})
    table.move(command.no_client and {} or client, 1, command.no_client and 0 or #client, #command.options + 1, command.options)
    table.insert(command.options, help)
    command.refused = command.no_client and {} or refused
  end
end

for _, command in ipairs(commands) do
  complete(command, "beamlua ")
end

local all = { list = commands, common = table.move(client, 1, #client, 1, {}) }
table.insert(all.common, help)

--- Whether an option is one of those that every command has.
---@param option table
---@return boolean
function all.is_common(option)
  for _, common in ipairs(all.common) do
    if common == option then
      return true
    end
  end
  return false
end

--- The command of that name; of a list of commands that one has below it, if it is given.
---@param name string
---@param list table[]?
function all.find(name, list)
  for _, command in ipairs(list or commands) do
    if command.name == name then
      return command
    end
  end
end

--- The names as keys, for "did you mean".
---@param list table[]?
---@return table<string, true>
function all.names(list)
  local names = {}
  for _, command in ipairs(list or commands) do
    names[command.name] = true
  end
  return names
end

return all
