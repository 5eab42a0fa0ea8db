-- Writes docs/manual/beamlua.1 (mdoc) from the table of commands.   usage: build/beamlua tests/manual.lua > docs/manual/beamlua.1
local commands = require "beamlua.cli.commands"
local exit_codes = require "beamlua.cli.exit_codes"
local meanings = require "beamlua.cli.meanings"
local status_codes = require "beamlua.cli.errors.status_codes"

local function escape(text)
  text = text:gsub("\\", "\\e"):gsub("…", "\\[u2026]"):gsub("`", "\\(ga"):gsub("%-", "\\-")
  return (text:gsub("^[.']", "\\&%0"):gsub("\n([.'])", "\n\\&%1"))
end

-- Text as mandoc wants it: a sentence begins on a line of its own, no line is longer than 78.
local function flow(text)
  for sentence in text:gsub("\n", " "):gsub("([.:;]) +(%u)", "%1\n%2"):gmatch "[^\n]+" do
    local line = ""
    for word in sentence:gmatch "%S+" do
      if #line + #word > 76 and line ~= "" then
        print(escape(line))
        line = word
      else
        line = line == "" and word or line .. " " .. word
      end
    end
    if line ~= "" then
      print(escape(line))
    end
  end
end

local function print_option(option)
  local short = option.short and (".It Fl %s , "):format(option.short:sub(2)) or ".It "
  print(("%sFl \\-%s%s"):format(short, escape(option[1]:sub(3)), option[2] and (" Ar %s"):format(escape(option[2])) or ""))
  flow(option[3])
end

local function print_options(list)
  if #list > 0 then
    print ".Bl -tag -width Ds -compact"
    for _, option in ipairs(list) do
      print_option(option)
    end
    print ".El"
  end
end

local function print_command(command, before)
  local words = before .. command.name
  if command.commands then
    for _, below in ipairs(command.commands) do
      print_command(below, words .. " ")
    end
    return
  end
  print((".Ss %s%s"):format(words, command.takes ~= "" and " " .. escape(command.takes) or ""))
  flow(command.says)
  flow(command.details or "")
  local own = {}
  for _, option in ipairs(command.options) do
    if not commands.is_common(option) then
      own[#own + 1] = option
    end
  end
  print_options(own)
end

local function print_codes()
  local rows = {}
  for kind, code in pairs(exit_codes) do
    rows[#rows + 1] = { code, kind, meanings.kinds[kind] and meanings.kinds[kind][1] or "a mistake on the command line" }
  end
  for _, row in ipairs(status_codes.list()) do
    rows[#rows + 1] = { row[1], "http", row[2] }
  end
  table.sort(rows, function(a, b)
    return a[1] < b[1]
  end)
  for _, row in ipairs(rows) do
    print((".It %d\n.Sy %s :"):format(row[1], escape(row[2])))
    flow(row[3])
  end
end

local head = [[
.\" Made by tests/manual.lua: `make manual`.
.Dd November 21, 2026
.Dt BEAMLUA 1
.Os
.Sh NAME
.Nm beamlua
.Nd run Lua scripts against Beam, and call its deployments from a shell
.Sh SYNOPSIS
.Nm
.Op Fl ivEW
.Op Fl e Ar chunk
.Op Fl l Ar name
.Op Fl Fl record Ar file
.Op Ar script Op Ar args
.Nm
.Ar command
.Op Ar arguments
.Sh DESCRIPTION
.Nm
is Lua 5.4 with the module
.Sy beam
inside: it calls deployments on beam.cloud over HTTP and WebSocket.
Without arguments on a terminal it shows a prompt,
elsewhere it runs standard input.
The process ends when nothing is left to wait for.
.Pp
The options are those of
.Xr lua 1 :
.Bl -tag -width Ds -compact
.It Fl e Ar chunk
run a piece of Lua; may be given several times, before a script
.It Fl l Ar name
require the module into the global of that name;
.Ar global Ns = Ns Ar name
into another
.It Fl i
show a prompt after the script
.It Fl v
print the versions
.It Fl E
ignore the environment of Lua:
.Ev LUA_INIT ,
.Ev LUA_PATH
and
.Ev LUA_CPATH .
.It Fl W
turn warnings on
.It Fl Fl record Ar file
write what passes between the script and Beam into a file;
.Nm
.Cm serve Fl Fl replay
plays it again
.It Fl
run standard input
.It Fl Fl
end of the options
.El
.Sh COMMANDS
Whoever has a script that is called like a command writes ./call.
JSON is indented on a terminal and one value a line elsewhere.
Colours and progress are for terminals only.
Every command that asks Beam has, besides its own, these options:]]

local tail = [[
.Sh ENVIRONMENT
.Bl -tag -width Ds
.It Ev BEAM_TOKEN
the token; there is no option for it,
as arguments can be read by everybody on the machine
.It Ev BEAM_CLIENT_ID , BEAM_CLIENT_SECRET
Beam's older API keys
.It Ev BEAM_GATEWAY_URL , BEAM_API_URL , BEAM_API_VERSION
where Beam is
.It Ev BEAM_CONFIG_PATH , BEAM_CONFIG_CONTEXT
configuration file and its section
.It Ev BEAM_SERVE_TOKEN
the token that
.Ic serve
demands
.It Ev SSL_CERT_FILE
certificates to trust
.It Ev https_proxy , no_proxy
as in
.Xr curl 1
.It Ev LUA_INIT , LUA_PATH , LUA_CPATH
as in
.Xr lua 1
.It Ev BEAMLUA_HISTORY
file of the prompt's history; empty for none
.It Ev NO_COLOR
no colours
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa ~/.beam/config.ini
what Beam's own command line tool wrote
.It Pa ~/.beamlua_history
lines typed at the prompt;
those with a token or a password in them are left out
.It Pa ~/.editrc
keys of the prompt, see
.Xr editrc 5
.El
.Sh EXIT STATUS
0 if all went well, and 128 and its number after a signal:
130 for Ctrl-C, 143 for SIGTERM, 129 for a terminal that was closed, 141 for an output that nobody reads.
Otherwise one code for each kind of error:
.Bl -tag -width Ds -compact]]

local examples = [[
.El
.Sh EXAMPLES
.Dl beamlua call multiply '{"x": 12}'
.Dl tail \-f events.jsonl | beamlua realtime ingest \-\-json > answers.jsonl
.Dl id=$(beamlua submit train @job.json) && beamlua task result $id
.Dl beamlua explain 503
.Sh SEE ALSO
.Xr curl 1 ,
.Xr lua 1]]

print(head)
print_options(commands.common)
for _, command in ipairs(commands.list) do
  print_command(command, "")
end
print(tail)
print_codes()
print(examples)
